//! A relay board with a valve on each relay, as a Modbus device sees it: coils, and what is asked of them.
//!
//! Function codes and data come in and go out; how they are framed is `modbus`.

use super::faults::Faults;
use super::gas::Inlets;

const READ_COILS: u8 = 1;
const WRITE_COIL: u8 = 5;
const WRITE_COILS: u8 = 15;
/// Read device identification: function 43, its kind 14, the basic objects from the first one on.
const IDENTIFY: [u8; 4] = [43, 14, 1, 0];
const NAMES: [&str; 3] = ["GASERAD", "SIMULATED RELAYS", "2026-01-15"];
const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_VALUE: u8 = 3;
const ON: u16 = 0xFF00;

#[derive(Debug)]
pub struct Relays {
    /// Coil `i` opens line `i + 1`.
    coils: Vec<bool>,
    stuck: Option<u8>,
    welded: Option<u8>,
    silent: bool,
    exception: Option<u8>,
    single: bool,
    nameless: bool,
}

impl Relays {
    pub fn new(coils: u8, faults: &Faults) -> Self {
        let mut relays = Self {
            coils: vec![false; usize::from(coils)],
            stuck: faults.coil_stuck,
            welded: faults.coil_welded,
            silent: faults.modbus_silent,
            exception: faults.modbus_exception,
            single: faults.modbus_single_coils,
            nameless: faults.modbus_nameless,
        };
        relays.weld();
        relays
    }

    /// The lines that the gas comes from: none, one, or several at once.
    pub fn inlets(&self) -> Inlets {
        self.on().collect()
    }

    /// Where it stands, as far as that is one place.
    pub fn standing(&self) -> Option<u8> {
        let mut on = self.on();
        on.next().filter(|_| on.next().is_none())
    }

    fn on(&self) -> impl Iterator<Item = u8> {
        (1..).zip(&self.coils).filter_map(|(line, on)| on.then_some(line))
    }

    /// Whether `pdu` would switch something.
    pub fn is_order(pdu: &[u8]) -> bool {
        matches!(pdu, [WRITE_COIL | WRITE_COILS, ..])
    }

    /// Obeys one request, function code and data, and gives the answer, if there is one.
    pub fn obey(&mut self, pdu: &[u8]) -> Option<Vec<u8>> {
        if self.silent {
            return None;
        }
        let function = *pdu.first()?;
        let answer = match self.exception {
            Some(code) => Err(code),
            None => self.answer(pdu),
        };
        Some(answer.unwrap_or_else(|code| vec![function | 0x80, code]))
    }

    fn answer(&mut self, pdu: &[u8]) -> Result<Vec<u8>, u8> {
        match *pdu {
            [READ_COILS, a, b, c, d] => self.read(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
            [WRITE_COIL, a, b, c, d] => {
                let on = match u16::from_be_bytes([c, d]) {
                    ON => true,
                    0 => false,
                    _ => return Err(ILLEGAL_VALUE),
                };
                self.write(u16::from_be_bytes([a, b]), &[on])?;
                Ok(pdu.to_vec())
            }
            [WRITE_COILS, a, b, c, d, count, ref bytes @ ..] if !self.single => {
                let quantity = usize::from(u16::from_be_bytes([c, d]));
                if quantity == 0 || bytes.len() != usize::from(count) || bytes.len() != quantity.div_ceil(8) {
                    return Err(ILLEGAL_VALUE);
                }
                let levels: Vec<bool> = (0..quantity).map(|coil| bytes[coil / 8] >> (coil % 8) & 1 == 1).collect();
                self.write(u16::from_be_bytes([a, b]), &levels)?;
                Ok(pdu[..5].to_vec())
            }
            _ if *pdu == IDENTIFY && !self.nameless => Ok(Self::identify()),
            [READ_COILS | WRITE_COIL, ..] => Err(ILLEGAL_VALUE),
            _ => Err(ILLEGAL_FUNCTION),
        }
    }

    fn read(&self, first: u16, quantity: u16) -> Result<Vec<u8>, u8> {
        if !(1..=2000).contains(&quantity) {
            return Err(ILLEGAL_VALUE);
        }
        let end = usize::from(first) + usize::from(quantity);
        let coils = self.coils.get(usize::from(first)..end).ok_or(ILLEGAL_ADDRESS)?;
        let pack = |coils: &[bool]| coils.iter().rev().fold(0, |byte, on| byte << 1 | u8::from(*on));
        let bytes: Vec<u8> = coils.chunks(8).map(pack).collect();
        let count = u8::try_from(bytes.len()).map_err(|_| ILLEGAL_VALUE)?;
        Ok([vec![READ_COILS, count], bytes].concat())
    }

    fn identify() -> Vec<u8> {
        let objects = (0..).zip(NAMES).flat_map(|(id, text)| {
            let text = text.as_bytes();
            [&[id, u8::try_from(text.len()).unwrap_or(u8::MAX)], text].concat()
        });
        // The code that was asked for, basic identification as a stream, nothing more to come, three objects.
        IDENTIFY[..3].iter().copied().chain([1, 0, 0, 3]).chain(objects).collect()
    }

    fn write(&mut self, first: u16, levels: &[bool]) -> Result<(), u8> {
        let first = usize::from(first);
        let coils = self.coils.get_mut(first..first + levels.len()).ok_or(ILLEGAL_ADDRESS)?;
        for ((line, coil), level) in (first + 1..).zip(coils).zip(levels) {
            if self.stuck.map(usize::from) != Some(line) {
                *coil = *level;
            }
        }
        self.weld();
        Ok(())
    }

    fn weld(&mut self) {
        let welded = self.welded.and_then(|line| usize::from(line).checked_sub(1));
        if let Some(coil) = welded.and_then(|coil| self.coils.get_mut(coil)) {
            *coil = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relays(faults: &Faults) -> Relays {
        Relays::new(31, faults)
    }

    #[test]
    fn all_coils_are_written_at_once_and_read_back() {
        let mut relays = relays(&Faults::default());
        assert_eq!(relays.standing(), None);
        let order = [15, 0, 0, 0, 31, 4, 0, 0b100, 0, 0];
        assert_eq!(relays.obey(&order), Some(vec![15, 0, 0, 0, 31]));
        assert_eq!(relays.standing(), Some(11));
        assert_eq!(relays.obey(&[1, 0, 0, 0, 31]), Some(vec![1, 4, 0, 0b100, 0, 0]));
        assert_eq!(relays.obey(&[1, 0, 8, 0, 3]), Some(vec![1, 1, 0b100]));
        assert_eq!(relays.obey(&[5, 0, 1, 0xFF, 0]), Some(vec![5, 0, 1, 0xFF, 0]));
        assert_eq!((relays.standing(), relays.inlets()), (None, [2, 11].into_iter().collect()));
    }

    #[test]
    fn what_it_cannot_do_is_an_exception() {
        let mut relays = relays(&Faults::default());
        for (order, code) in [
            (&[3, 0, 0, 0, 1][..], 1),
            (&[1, 0, 0, 0, 32], 2),
            (&[1, 0, 0, 0, 0], 3),
            (&[1, 0], 3),
            (&[5, 0, 0, 0x55, 0], 3),
            (&[15, 0, 0, 0, 9, 1, 0], 3),
            (&[5, 0, 31, 0xFF, 0], 2),
        ] {
            assert_eq!(relays.obey(order), Some(vec![order[0] | 0x80, code]), "{order:?}");
        }
        assert_eq!(relays.obey(&[]), None);
    }

    #[test]
    fn stuck_and_welded_coils_do_not_obey() {
        let faults = Faults { coil_stuck: Some(3), coil_welded: Some(5), ..Faults::default() };
        let mut relays = relays(&faults);
        assert_eq!(relays.standing(), Some(5));
        relays.obey(&[15, 0, 0, 0, 8, 1, 0b100]);
        assert_eq!(relays.standing(), Some(5));
    }
}
