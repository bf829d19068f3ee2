//! What the analyzer tells of itself as an instrument: tasks' parameters, identity, network, sampler, system, self-test.

use super::command::{NO_ADDRESS, NO_GATEWAY, NO_NETMASK};
use super::reply::{Error, Reply};
use super::words::{read_bit, read_cas, words};
use crate::domain::Cas;
use crate::domain::instrument::{Inlet, Network, Parameter, SelfTest, TaskParameters};

/// AMPS: no sampler is connected.
const NO_SAMPLER: u8 = 2;
/// Between the fields of one system parameter.
const COMMAS: usize = 4;
/// What the analyzer writes where it has nothing.
const NOTHING: &str = "NULL";

impl Reply {
    /// ATSP. What stands behind the gases may be missing.
    pub fn task_parameters(&self) -> Result<TaskParameters, Error> {
        let separated = |c: char| c == ',' || c.is_whitespace();
        let mut parts = self.data_of("ATSP")?.split(separated).filter(|part| !part.is_empty()).peekable();
        let mut gases: Vec<Cas> = Vec::new();
        while let Some(cas) = parts.peek().and_then(|part| read_cas(part)) {
            gases.push(cas);
            parts.next();
        }
        if gases.is_empty() {
            return Err(self.unreadable("CAS numbers of gases"));
        }
        let mut number = || parts.next().and_then(read_number);
        Ok(TaskParameters {
            gases,
            pressure_mbar: number(),
            flush_bypass_s: number(),
            flush_cell_s: number(),
            flush_cycles: number().and_then(whole),
        })
    }

    /// ATSP: the gases of the task.
    pub fn gases(&self) -> Result<Vec<Cas>, Error> {
        self.task_parameters().map(|parameters| parameters.gases)
    }

    /// ADEV: manufacturer, serial number, name, firmware.
    pub fn identity(&self) -> Result<Vec<String>, Error> {
        Ok(words(self.data_of("ADEV")?).into_iter().map(|word| word.text).collect())
    }

    /// ANAM. It may be empty.
    pub fn name(&self) -> Result<String, Error> {
        self.data_of("ANAM").map(text)
    }

    /// APAR
    pub fn parameter(&self) -> Result<String, Error> {
        let value = text(self.data_of("APAR")?);
        if value.is_empty() { Err(self.unreadable("the value of a parameter")) } else { Ok(value) }
    }

    /// ANET
    pub fn network(&self) -> Result<Network, Error> {
        let parts: Vec<&str> = self.data_of("ANET")?.split_whitespace().collect();
        let part = |at: usize, absent: &str| {
            let part = parts.get(at).copied().filter(|part| *part != absent && *part != NOTHING);
            part.unwrap_or_default().to_owned()
        };
        let dhcp = parts.first().and_then(|part| read_bit(part)).filter(|_| parts.len() <= 4);
        Ok(Network {
            dhcp: dhcp.ok_or_else(|| self.unreadable("a network: DHCP, address, netmask, gateway"))?,
            address: part(1, NO_ADDRESS),
            netmask: part(2, NO_NETMASK),
            gateway: part(3, NO_GATEWAY),
        })
    }

    /// AMPS; `None` if no sampler is connected.
    pub fn inlets(&self) -> Result<Option<Vec<Inlet>>, Error> {
        let data = self.data_of("AMPS")?;
        if self.status == NO_SAMPLER && data.is_empty() {
            return Ok(None);
        }
        let parts: Vec<&str> = data.split_whitespace().collect();
        let inlets: Option<Vec<Inlet>> = parts.chunks(3).map(read_inlet).collect();
        inlets.map(Some).ok_or_else(|| self.unreadable("a number, a bit and seconds for each inlet"))
    }

    /// ASYP. Where some entries are not of the shape `name,value,min,max,unit`, those that are.
    pub fn system_parameters(&self) -> Result<Vec<Parameter>, Error> {
        let data = self.data_of("ASYP")?;
        let pieces: Vec<&str> = data.split(',').map(str::trim).collect();
        let parameters = if pieces.len() % COMMAS == 1 {
            in_sequence(data)
        } else {
            data.split_whitespace().filter(|word| word.matches(',').count() == COMMAS).flat_map(in_sequence).collect()
        };
        let found = data.is_empty() || !parameters.is_empty();
        if found { Ok(parameters) } else { Err(self.unreadable("system parameters: name,value,min,max,unit for each")) }
    }

    /// ASTR
    pub fn self_test(&self) -> Result<SelfTest, Error> {
        match self.data_of("ASTR")? {
            "-2" => Ok(SelfTest::NotAvailable),
            "-1" => Ok(SelfTest::Running),
            "0" => Ok(SelfTest::Failed),
            "1" => Ok(SelfTest::Passed),
            _ => Err(self.unreadable("the result of a self-test, -2 to 1")),
        }
    }
}

/// On one line, without quotes around it.
fn text(data: &str) -> String {
    let line = data.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let unquoted = line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    unquoted.unwrap_or(&line).trim().to_owned()
}

fn read_number(text: &str) -> Option<f64> {
    text.trim_start_matches('#').parse().ok().filter(|number: &f64| number.is_finite())
}

fn whole(number: f64) -> Option<u32> {
    let text = format!("{number:.0}");
    text.parse().ok().filter(|whole: &u32| (f64::from(*whole) - number).abs() < f64::EPSILON)
}

fn read_inlet(parts: &[&str]) -> Option<Inlet> {
    let &[id, active, bypass] = parts else { return None };
    let bypass_s = read_number(bypass).filter(|bypass| *bypass >= 0.0)?;
    Some(Inlet { id: id.parse().ok()?, active: read_bit(active)?, bypass_s })
}

/// Entries one behind the other. A comma parts the fields of one entry, a blank its unit from the name of the next: a
/// unit is one word at most, and a name may be several.
fn in_sequence(data: &str) -> Vec<Parameter> {
    let mut pieces = data.split(',');
    let mut name = pieces.next().unwrap_or_default().trim().to_owned();
    let mut parameters = Vec::new();
    while let (Some(value), Some(min), Some(max), Some(last)) =
        (pieces.next(), pieces.next(), pieces.next(), pieces.next())
    {
        let (unit, next) = last.split_at(last.find(char::is_whitespace).unwrap_or(last.len()));
        parameters.push(Parameter {
            name: std::mem::replace(&mut name, one_line(next)),
            value: field(value),
            min: field(min),
            max: field(max),
            unit: field(unit),
        });
    }
    parameters
}

fn field(text: &str) -> Option<String> {
    Some(one_line(text)).filter(|text| !text.is_empty() && text != NOTHING)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ak::Frame;

    fn reply(text: &str) -> Reply {
        Reply::parse(&Frame { text: text.into() }).unwrap()
    }

    #[test]
    fn gases_end_where_the_other_parameters_begin() {
        let parameters = reply("ATSP 0 74-82-8, 124-38-9,\r\n630-08-0 850 1 1.5 6").task_parameters().unwrap();
        assert_eq!(
            parameters.gases.iter().map(|cas| cas.0.as_str()).collect::<Vec<_>>(),
            ["74-82-8", "124-38-9", "630-08-0"]
        );
        assert_eq!((parameters.pressure_mbar, parameters.flush_bypass_s), (Some(850.0), Some(1.0)));
        assert_eq!((parameters.flush_cell_s, parameters.flush_cycles), (Some(1.5), Some(6)));
        assert!(reply("ATSP 0 850 1 1 6").task_parameters().is_err());
        let short = reply("ATSP 0 74-82-8 850 # 1 6.5").task_parameters().unwrap();
        assert_eq!((short.pressure_mbar, short.flush_bypass_s, short.flush_cycles), (Some(850.0), None, None));
    }

    #[test]
    fn a_name_may_be_empty_or_several_words() {
        assert_eq!(reply("ANAM 0").name().unwrap(), "");
        assert_eq!(reply("ANAM 0 Barn\r\n  3 east").name().unwrap(), "Barn 3 east");
        assert_eq!(reply("ANAM 0 \"Barn 3\"").name().unwrap(), "Barn 3");
        assert_eq!(reply("APAR 0 45.02").parameter().unwrap(), "45.02");
        assert!(reply("APAR 0").parameter().is_err());
    }

    #[test]
    fn identity_fields_may_be_empty() {
        assert_eq!(reply("ADEV 0 \"Gasera Ltd\" \"\" \"\" \"1\"").identity().unwrap(), ["Gasera Ltd", "", "", "1"]);
    }

    #[test]
    fn a_network_may_have_no_address() {
        let network = reply("ANET 0 1 NO_IP NO_NETMASK NO_GW").network().unwrap();
        assert_eq!(network, Network { dhcp: true, ..reply("ANET 0 0").network().unwrap() });
        let network = reply("ANET 0 0 10.0.0.2\r\n255.0.0.0 NO_GW").network().unwrap();
        assert_eq!(
            (network.dhcp, network.address.as_str(), network.netmask.as_str()),
            (false, "10.0.0.2", "255.0.0.0")
        );
        assert_eq!(network.gateway, "");
        for data in ["", "2 10.0.0.2", "10.0.0.2", "1 a b c d"] {
            assert!(reply(&format!("ANET 0 {data}")).network().is_err(), "{data}");
        }
    }

    #[test]
    fn two_means_that_there_is_no_sampler() {
        assert_eq!(reply("AMPS 2").inlets(), Ok(None));
        assert_eq!(reply("AMPS 0").inlets(), Ok(Some(Vec::new())));
        let inlets = reply("AMPS 0 1 1 30 2 0 12.5").inlets().unwrap().unwrap();
        assert_eq!(inlets[1], Inlet { id: 2, active: false, bypass_s: 12.5 });
        assert!(reply("AMPS 0 1 1").inlets().is_err());
        assert!(reply("AMPS 0 1 yes 30").inlets().is_err());
        assert!(matches!(reply("AMPS 1").inlets(), Err(Error::Refused { .. })));
    }

    #[test]
    fn system_parameters_may_lack_fields() {
        let all = reply("ASYP 0 PumpRate,100,0,100,% AllowNegResults,0,NULL,NULL,NULL Cell set\r\npoint,45,NULL,,degC");
        let all = all.system_parameters().unwrap();
        let names: Vec<&str> = all.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(names, ["PumpRate", "AllowNegResults", "Cell set point"]);
        assert_eq!((all[0].max.as_deref(), all[0].unit.as_deref()), (Some("100"), Some("%")));
        assert_eq!((all[1].value.as_deref(), &all[1].min, &all[1].unit), (Some("0"), &None, &None));
        assert_eq!((all[2].max.as_deref(), all[2].unit.as_deref()), (None, Some("degC")));
        assert_eq!(reply("ASYP 0").system_parameters(), Ok(Vec::new()));
    }

    #[test]
    fn one_odd_entry_does_not_hide_the_others() {
        let all = reply("ASYP 0 A,1,2,3,s Odd,1,2 B,4,5,6,s").system_parameters().unwrap();
        assert_eq!(all.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
        assert!(reply("ASYP 0 none at all").system_parameters().is_err());
    }

    #[test]
    fn a_reply_of_the_greatest_length_is_read() {
        let entry = "SomeLongParameterName,123.456,NULL,NULL,mV ";
        let count = 64_000 / entry.len();
        let all = reply(&format!("ASYP 0 {}", entry.repeat(count))).system_parameters().unwrap();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_self_test_has_four_outcomes() {
        let outcome = |text: &str| reply(text).self_test();
        assert_eq!(outcome("ASTR 0 -2"), Ok(SelfTest::NotAvailable));
        assert_eq!(outcome("ASTR 0 -1"), Ok(SelfTest::Running));
        assert_eq!(outcome("ASTR 0 0"), Ok(SelfTest::Failed));
        assert_eq!(outcome("ASTR 0 1"), Ok(SelfTest::Passed));
        assert!(outcome("ASTR 0 2").is_err() && outcome("ASTR 0").is_err());
    }
}
