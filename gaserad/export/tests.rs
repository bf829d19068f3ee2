//! What each format is of runs that are made by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::domain::instrument::{Task, TaskParameters};
use crate::domain::{
    AnalyzerTime, Attribution, Basis, Channel, ChannelInfo, ChannelKind, Equipment, Flag, Plan, PlanDraft, Provenance,
    Qc, RunId, RunSummary, Table, Utc, Verification, VisitId, VisitSummary, WithoutChannel,
};

const EIGHT: i64 = 1_768_464_000_000_000;

fn utc(seconds: i64) -> Utc {
    Utc::from_micros(EIGHT + seconds * 1_000_000)
}

fn channel(number: u8) -> Channel {
    Channel::new(number).unwrap()
}

fn chamber() -> ChannelInfo {
    ChannelInfo {
        label: "barn, north".into(),
        kind: ChannelKind::Sample,
        area_m2: Some(0.05),
        volume_m3: Some(0.02),
        collar_offset_m: Some(0.1),
        treatment: "manure".into(),
        plot: "P1".into(),
        lat: Some(60.45),
        lon: Some(22.27),
        ..ChannelInfo::default()
    }
}

fn sheet(id: &str, gases: &[&str]) -> Sheet {
    let draft = PlanDraft {
        channels: "1-2".into(),
        measure: Duration::from_secs(600),
        label: "winter".into(),
        ..PlanDraft::default()
    };
    let channels: BTreeMap<Channel, ChannelInfo> = [(channel(1), chamber())].into();
    let parameters = TaskParameters { pressure_mbar: Some(850.0), flush_cycles: Some(8), ..TaskParameters::default() };
    Sheet {
        run: RunSummary {
            id: RunId(id.into()),
            plan: Plan::new(draft).unwrap(),
            started: utc(0),
            ended: Some(utc(900)),
            outcome: None,
            reason: String::new(),
            records: 3,
            good_records: 1,
            without_channel: WithoutChannel::default(),
        },
        channels,
        gases: gases.iter().map(|cas| GasInfo::of(&Cas((*cas).into()))).collect(),
        last_record: 3,
        provenance: Provenance::default(),
        equipment: Equipment {
            task: Some(Task { parameters: Some(parameters), ..Task::default() }),
            ..Equipment::default()
        },
    }
}

const CO2: &str = "124-38-9";
const CH4: &str = "74-82-8";

fn ppm(values: &[Option<f64>]) -> Vec<Measured> {
    values.iter().map(|ppm| Measured { ppm: *ppm, ..Measured::default() }).collect()
}

fn good(gases: &[Option<f64>]) -> Row {
    Row {
        run: 0,
        seq: 2,
        stamp: AnalyzerTime(1_768_467_792),
        gases: ppm(gases),
        attribution: Attribution::Exact,
        channel: Some(channel(1)),
        visit: Some(VisitId(1)),
        repeat: Some(1),
        verification: Verification::Readback,
        elapsed_s: Some(72.5),
        sample_in_visit: Some(2),
        discard: false,
        qc: Qc::Good,
        flags: vec![],
        iteration: Some(7),
        sampled: utc(192) + Duration::from_millis(345),
        read: utc(230),
    }
}

fn purged(gases: &[Option<f64>]) -> Row {
    Row { seq: 1, discard: true, flags: vec![Flag::Purge], elapsed_s: Some(12.0), sampled: utc(132), ..good(gases) }
}

fn nowhere(gases: &[Option<f64>]) -> Row {
    let on_none =
        Row { channel: None, visit: None, repeat: None, elapsed_s: None, sample_in_visit: None, ..good(gases) };
    Row { seq: 3, attribution: Attribution::Mixed, discard: true, qc: Qc::Suspect, sampled: utc(252), ..on_none }
}

fn file(wanted: Wanted, sheets: Vec<Sheet>, rows: &[Row]) -> Vec<u8> {
    let job = ExportJob::new(wanted, sheets).unwrap();
    let mut assembler = job.assembler(rows.len() as u64).unwrap();
    let mut bytes = assembler.begin().unwrap();
    for rows in rows.chunks(2) {
        let mut encoder = job.encoder();
        for row in rows {
            encoder.row(row);
        }
        bytes.extend(assembler.append(encoder.block().unwrap()).unwrap());
    }
    bytes.extend(assembler.end().unwrap());
    bytes
}

fn text(wanted: Wanted, gases: &[&str], rows: &[Row]) -> String {
    String::from_utf8(file(wanted, vec![sheet("01A", gases)], rows)).unwrap()
}

fn all(wanted: Format) -> String {
    let gases = [Some(415.25), Some(1.9), Some(12_000.0)];
    text(Wanted::of(wanted), &[CO2, CH4, WATER], &[purged(&gases), good(&gases), nowhere(&gases)])
}

#[test]
fn csv_has_every_record() {
    let text = all(Format::Csv);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[2],
        "2026-01-15T08:03:12Z,1768464192.345,2026-01-15T08:03:50Z,01A,2,winter,1,1,1,\"barn, north\",sample,exact,72.5,2,0,\
         415.25,1.9,12000,0,,readback,7,,,,"
    );
    assert!(lines[3].contains(",3,winter,,,,,,mixed,,,1,415.25,"), "{}", lines[3]);
}

#[test]
fn a_spreadsheet_gets_commas_in_its_decimals() {
    let wanted = Wanted { decimal_comma: true, ..Wanted::of(Format::Csv) };
    let text = text(wanted, &[CO2], &[good(&[Some(415.25)])]);
    assert!(text.starts_with("time_utc;time_unix_s;"), "{text}");
    assert!(text.contains(";1768464192,345;") && text.contains(";72,5;2;0;415,25;0;"), "{text}");
    assert!(text.contains(";barn, north;"), "{text}");
}

#[test]
fn tidy_has_a_line_for_each_number() {
    let mut clinging = good(&[Some(415.25), None]);
    clinging.gases[0].discard = true;
    let text = text(Wanted::of(Format::Tidy), &[CO2, CH4], &[clinging]);
    assert_eq!(
        text,
        "time_utc,run_id,visit_id,channel,species,cas,value,unit,qc,discard,seq,elapsed_s\n\
         2026-01-15T08:03:12Z,01A,1,1,CO2,124-38-9,415.25,ppm,0,1,2,72.5\n"
    );
}

#[test]
fn json_lines_are_objects_with_the_names_of_the_columns() {
    let text = all(Format::Jsonl);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[1]["time_utc"], &lines[1]["co2_ppm"]), (&"2026-01-15T08:03:12.345Z".into(), &415.25.into()));
    assert_eq!((&lines[1]["channel_label"], &lines[1]["discard"]), (&"barn, north".into(), &false.into()));
    assert_eq!((&lines[0]["qc_flags"][0], &lines[2]["channel"]), (&"purge".into(), &serde_json::Value::Null));
}

#[test]
fn the_wide_file_is_what_gaseramux_writes() {
    let text = all(Format::GaseraCsv);
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "timestamp\tphase\tchannel\trepeat\tCarbon Dioxide (CO₂, 124-38-9)\tMethane (CH₄, 74-82-8)\tWater Vapor (H₂O, 7732-18-5)"
    );
    let rest = |line: &str| line.split_once('\t').unwrap().1.to_owned();
    assert_eq!(rest(lines[1]), "PAUSED    \t1\t0\t415.2500\t1.9000\t12000.0000");
    assert_eq!(rest(lines[2]), "MEASURING \t1\t0\t415.2500\t1.9000\t12000.0000");
    assert_eq!((lines.len(), lines[3]), (4, ""), "what is on no channel has no line");
}

#[test]
fn the_file_of_the_analyzer_has_its_parameters_its_time_and_five_decimals() {
    let text = text(Wanted::of(Format::Meas), &[CH4], &[good(&[Some(0.004_456_1)]), nowhere(&[Some(377.443)])]);
    assert_eq!(
        text,
        "Measurement parameters:\nTargetPressure\t850\tmbar\nFlushTimeBypass\t\tsec\nFlushTimeCell\t\tsec\nNFlushCell\t8\t\n\
         GasInput\t\t\nSamplingMode\t\t\nInternalTimeout\t\t\nTimestamp\tCH4 (ppm) \tinlet\t\n\
         2026-01-15 09:03:12\t0.0044561\t1\n2026-01-15 09:03:12\t377.44300\t\n"
    );
}

#[test]
fn goflux_gets_dry_fractions_in_its_units_and_the_volume_with_its_collar() {
    let gases = [Some(400.0), Some(2.0), Some(20_000.0)];
    let text = text(Wanted::of(Format::Goflux), &[CO2, CH4, WATER], &[purged(&gases), good(&gases), nowhere(&gases)]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "UniqueID,chamID,DATE,POSIX.time,Etime,flag,Area,Vtot,CO2dry_ppm,CH4dry_ppb,H2O_ppm,channel,run_id,visit_id,seq"
    );
    let fields: Vec<&str> = lines[2].split(',').collect();
    assert_eq!(fields[..7], ["01A_1", "P1", "2026-01-15", "2026-01-15 08:03:12", "72.5", "1", "500"]);
    let number = |place: usize| fields[place].parse::<f64>().unwrap();
    for (place, expected) in [(7, 25.0), (8, 400.0 / 0.98), (9, 2000.0 / 0.98), (10, 20_000.0)] {
        assert!((number(place) - expected).abs() < 1e-9, "{fields:?}");
    }
    assert_eq!((lines[1].split(',').nth(5), lines.len()), (Some("0"), 3));
}

#[test]
fn dry_fractions_cannot_be_had_without_water_unless_the_numbers_are_dry() {
    let job = |basis| ExportJob::new(Wanted { basis, ..Wanted::of(Format::Goflux) }, vec![sheet("01A", &[CO2])]);
    assert_eq!(job(Basis::Wet).unwrap_err(), ExportError::Water);
    assert_eq!(job(Basis::Dry).unwrap().gases.len(), 1);
    let one = Wanted { gases: vec!["co2".into()], ..Wanted::of(Format::Goflux) };
    let kept = ExportJob::new(one, vec![sheet("01A", &[CH4, CO2, WATER])]).unwrap();
    assert_eq!(kept.gases.iter().map(|gas| gas.formula.as_str()).collect::<Vec<_>>(), ["CO2", "H2O"]);
}

#[test]
fn gasfluxes_gets_amounts_per_volume_hours_and_only_what_it_takes() {
    let interrupted = Row { flags: vec![Flag::Interrupted], ..good(&[Some(400.0), Some(2.0)]) };
    let rows = [purged(&[Some(400.0), Some(2.0)]), good(&[Some(400.0), Some(0.0)]), interrupted];
    let text = text(Wanted::of(Format::Gasfluxes), &[CO2, CH4], &rows);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, "ID,V,A,time,C,gas,ppm,plot,UniqueID"));
    let fields: Vec<&str> = lines[1].split(',').collect();
    assert_eq!((fields[0], fields[5], fields[7], fields[8]), ("01A_1_CO2", "CO2", "P1", "01A_1"));
    // 400 ppm at 15 °C and 1013.25 hPa: 101325 / (8.314462618 * 288.15) mol of air in a cubic meter.
    for (place, expected) in [(1, 0.025), (2, 0.05), (3, 72.5 / 3600.0), (4, 16.917_02)] {
        assert!((fields[place].parse::<f64>().unwrap() - expected).abs() < 1e-4, "{fields:?}");
    }
}

#[test]
fn fluxible_and_fluxfinder_get_the_times_that_they_read() {
    let gases = [Some(400.0), Some(2.0)];
    let rows = [purged(&gases), good(&gases)];
    let conc = text(Wanted::of(Format::Fluxible), &[CO2, CH4], &rows);
    assert_eq!(conc, "datetime,co2_ppm,ch4_ppm\n2026-01-15 08:03:12,400,2\n");
    let one = Wanted { air_temperature_c: Some(4.5), ..Wanted::of(Format::Fluxible) };
    assert_eq!(text(one, &[CO2], &[good(&[Some(400.0)])]), "datetime,conc,temp_air\n2026-01-15 08:03:12,400,4.5\n");
    let found = text(Wanted::of(Format::Fluxfinder), &[CO2, CH4], &rows);
    assert_eq!(
        found,
        "TIMESTAMP,TZ,UniqueID,Plot,Etime_s,Area_cm2,Volume_cm3,CO2_ppm,CH4_ppm\n\
         2026-01-15 08:03:12,UTC,01A_1,P1,72.5,500,25000,400,2\n"
    );
}

fn visits(format: Format) -> String {
    let wanted = Wanted { table: Table::Visits, basis: Basis::Dry, ..Wanted::of(format) };
    let job = ExportJob::new(wanted, vec![sheet("01A", &[CO2])]).unwrap();
    let mut lines = ExportedVisits::new(&job);
    let stay = |id, arrived, left| VisitSummary {
        id: VisitId(id),
        channel: channel(1),
        repeat: 1,
        arrived,
        left,
        records: 0,
        good_records: 0,
    };
    let half = Duration::from_millis(500);
    for visit in
        [stay(1, utc(5), Some(utc(300))), stay(2, utc(300) + half, Some(utc(600) + half)), stay(3, utc(700), None)]
    {
        lines.add(ExportedVisit { run: 0, visit });
    }
    lines.end();
    String::from_utf8(lines.take()).unwrap()
}

#[test]
fn windows_of_visits_do_not_touch() {
    assert_eq!(
        visits(Format::Fluxfinder),
        "Date,Start_time,Obs_length,UniqueID,Plot,Area_cm2,Volume_cm3,Channel,Treatment\n\
         2026-01-15,08:00:05,294,01A_1,P1,500,25000,1,manure\n\
         2026-01-15,08:05:00,300,01A_2,P1,500,25000,1,manure\n\
         2026-01-15,08:11:40,200,01A_3,P1,500,25000,1,manure\n"
    );
    assert!(
        visits(Format::Fluxible).contains("2026-01-15 08:00:05,2026-01-15 08:04:59,294,01A_1,P1,0.05,25,1,manure\n")
    );
    assert!(visits(Format::Goflux).contains("01A_1,P1,2026-01-15 08:00:05,294,500,25,1,manure\n"));
}

#[test]
fn several_runs_share_the_columns_of_all_their_gases() {
    let sheets = vec![sheet("01A", &[CO2]), sheet("01B", &[CH4, CO2])];
    let second = Row { run: 1, ..good(&[None, Some(1.9)]) };
    let rows = [good(&[Some(400.0), None]), second];
    let text = String::from_utf8(file(Wanted::of(Format::Csv), sheets, &rows)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains(",discard,co2_ppm,ch4_ppm,qc,"), "{}", lines[0]);
    assert!(lines[1].contains(",01A,2,") && lines[1].contains(",0,400,,0,"), "{}", lines[1]);
    assert!(lines[2].contains(",01B,2,") && lines[2].contains(",0,,1.9,0,"), "{}", lines[2]);
}

#[test]
fn a_gas_that_no_run_measures_is_refused_with_those_that_are_measured() {
    let wanted = Wanted { gases: vec!["NH3".into()], ..Wanted::of(Format::Csv) };
    let refused = ExportJob::new(wanted, vec![sheet("01A", &[CO2, CH4])]).unwrap_err();
    assert_eq!(refused.to_string(), "no run to export measures \"NH3\"; they measure CO2, CH4");
}

#[test]
fn netcdf_begins_with_what_it_holds_and_says_so_if_it_is_another_number() {
    let gases = [Some(400.0), None];
    let bytes = file(Wanted::of(Format::Netcdf), vec![sheet("01A", &[CO2, CH4])], &[purged(&gases), good(&gases)]);
    assert_eq!((&bytes[..4], &bytes[4..8]), (&b"CDF\x02"[..], &2_u32.to_be_bytes()[..]));
    // The last variable of the last record is methane, which was not measured.
    assert_eq!(bytes[bytes.len() - 8..], 9.969_209_968_386_869e36_f64.to_be_bytes());
    assert_eq!(bytes[bytes.len() - 16..bytes.len() - 8], 400.0_f64.to_be_bytes());
    let job = ExportJob::new(Wanted::of(Format::Netcdf), vec![sheet("01A", &[CO2])]).unwrap();
    let broken = job.assembler(5).unwrap().end().unwrap_err().to_string();
    assert!(broken.starts_with("5 samples were counted and 0 found"), "{broken}");
    assert!(matches!(job.assembler(1 << 32), Err(Broken::TooMany(_))));
}

#[test]
fn parquet_has_a_row_group_for_each_block() {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    let gases = [Some(400.0), None];
    let bytes = file(
        Wanted::of(Format::Parquet),
        vec![sheet("01A", &[CO2, CH4])],
        &[purged(&gases), good(&gases), nowhere(&gases)],
    );
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let metadata = reader.metadata();
    assert_eq!((metadata.num_row_groups(), metadata.file_metadata().num_rows()), (2, 3));
    let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
    assert!(rows[1].contains("seq: 2") && rows[1].contains("co2_ppm: 400.0, ch4_ppm: null"), "{}", rows[1]);
    assert!(rows[0].contains("qc_flags: \"purge\"") && rows[2].contains("channel: null"), "{rows:#?}");
}

#[test]
fn an_export_without_a_record_is_a_file_all_the_same() {
    for (name, format) in Format::ALL {
        let wanted = Wanted { basis: Basis::Dry, ..Wanted::of(format) };
        let bytes = file(wanted, vec![sheet("01A", &[CO2])], &[]);
        assert_eq!(bytes.is_empty(), format == Format::Jsonl, "{name}");
    }
    assert_eq!(BTreeSet::from(Format::ALL.map(|(name, _)| name)).len(), 11);
}

#[test]
fn every_word_of_an_enum_reads_back_as_its_variant() {
    assert!(Flag::ALL.iter().all(|flag| Flag::named(flag.as_str().as_bytes()) == Some(*flag)));
    assert_eq!(Flag::Contradicted.as_str(), "contradicted");
    assert_eq!((Flag::named(b"suspended"), Qc::named(b"bad")), (None, Some(Qc::Bad)));
    let read: Vec<Flag> = serde_json::from_str(r#"["suspended","pos_changed"]"#).unwrap();
    assert_eq!(read, [Flag::Paused, Flag::PosChanged]);
}
