//! `datapackage.json`: a Frictionless data package, version 1: which files there are, what their columns mean, who
//! measured what with which instrument, and, once the run is over, how long each file is and its checksum.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::columns::{self, Kind, TableColumn};
use super::{channels, plan};
use crate::domain::{GasInfo, Sheet, Site, Utc};
use crate::store::error::StoreError;

pub(super) const NAME: &str = "datapackage.json";

/// A file and what its columns mean.
struct PackagedFile {
    path: &'static str,
    title: &'static str,
    columns: fn(&Sheet) -> Vec<TableColumn>,
    key: &'static [&'static str],
}

const RESOURCES: [PackagedFile; 4] = [
    PackagedFile {
        path: "samples.csv",
        title: "one row per result",
        columns: columns::samples,
        key: &["run_id", "seq"],
    },
    PackagedFile {
        path: "visits.csv",
        title: "one row per visit of a channel",
        columns: columns::visits,
        key: &["run_id", "visit_id"],
    },
    PackagedFile { path: "events.csv", title: "one row per event", columns: columns::events, key: &["seq"] },
    PackagedFile { path: "channels.csv", title: "one row per channel", columns: columns::channels, key: &["channel"] },
];

pub(super) fn text(sheet: &Sheet, folder: &Path) -> Result<String, StoreError> {
    let mut package = describe(sheet);
    let mut resources = Vec::new();
    for resource in &RESOURCES {
        let mut described = resource.describe(sheet);
        seal(sheet, folder, resource.path, &mut described)?;
        resources.push(described);
    }
    package["resources"] = resources.into();
    let mut plan = json!({ "path": plan::NAME, "title": "the plan as it was carried out" });
    seal(sheet, folder, plan::NAME, &mut plan)?;
    let raw =
        json!({ "path": "raw.aklog", "title": "what passed between host and analyzer; older parts are compressed" });
    package["files"] = json!([plan, raw]);
    Ok(format!("{package:#}\n"))
}

/// Length and checksum of a file that will not change any more.
fn seal(sheet: &Sheet, folder: &Path, name: &str, described: &mut Value) -> Result<(), StoreError> {
    if sheet.run.ended.is_none() {
        return Ok(());
    }
    let path = folder.join(name);
    let (bytes, sha256) = checksum(&path).map_err(StoreError::io("read", &path))?;
    described["bytes"] = bytes.into();
    described["hash"] = format!("sha256:{sha256}").into();
    Ok(())
}

pub(super) fn checksum(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut digest, mut bytes) = (File::open(path)?, Sha256::new(), 0);
    let mut piece = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            return Ok((bytes, plan::hex(&digest.finalize())));
        }
        bytes += u64::try_from(count).unwrap_or(0);
        digest.update(&piece[..count]);
    }
}

/// What the package says of each file of a run that is over: path, bytes, checksum.
pub(super) fn sealed(folder: &Path) -> Option<Vec<(String, u64, String)>> {
    let package: Value = serde_json::from_slice(&fs::read(folder.join(NAME)).ok()?).ok()?;
    let listed = ["resources", "files"].map(|list| package[list].as_array().cloned().unwrap_or_default()).concat();
    let entry = |file: &Value| {
        let hash = file["hash"].as_str()?.strip_prefix("sha256:")?;
        Some((file["path"].as_str()?.to_owned(), file["bytes"].as_u64()?, hash.to_owned()))
    };
    Some(listed.iter().filter_map(entry).collect())
}

/// Longer files are believed by their length.
const SMALL: u64 = 4 << 20;

/// Whether the run is over and its files are as they were then.
pub(super) fn is_closed(sheet: &Sheet, folder: &Path) -> bool {
    let unchanged = |(name, bytes, hash): &(String, u64, String)| {
        let path = folder.join(name);
        let same = fs::metadata(&path).is_ok_and(|about| about.len() == *bytes);
        same && (*bytes > SMALL || checksum(&path).is_ok_and(|(_, found)| found == *hash))
    };
    let files = sealed(folder).unwrap_or_default();
    sheet.run.ended.is_some() && files.len() > RESOURCES.len() && files.iter().all(unchanged)
}

impl PackagedFile {
    fn describe(&self, sheet: &Sheet) -> Value {
        let fields: Vec<Value> = (self.columns)(sheet).iter().map(field).collect();
        let mut schema = json!({ "fields": fields, "missingValues": [""], "primaryKey": self.key });
        if self.path == "samples.csv" || self.path == "visits.csv" {
            let reference = json!({ "resource": "channels", "fields": ["channel"] });
            schema["foreignKeys"] = json!([{ "fields": ["channel"], "reference": reference }]);
        }
        json!({
            "name": self.path.trim_end_matches(".csv"),
            "path": self.path,
            "title": self.title,
            "profile": "tabular-data-resource",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "dialect": { "delimiter": ",", "lineTerminator": "\n", "quoteChar": "\"", "doubleQuote": true, "header": true },
            "schema": schema,
        })
    }
}

fn field(column: &TableColumn) -> Value {
    let mut field = json!({ "name": column.name, "description": column.meaning });
    field["type"] = match column.kind {
        Kind::Text | Kind::Words(_) | Kind::Flags => "string",
        Kind::Whole | Kind::Long | Kind::Codes(_) | Kind::Yes(_) => "integer",
        Kind::Number => "number",
        Kind::Time => "datetime",
    }
    .into();
    match column.kind {
        Kind::Words(words) => field["constraints"] = json!({ "enum": words }),
        Kind::Codes(codes) => {
            let codes: Vec<u8> = codes.iter().map(|(code, _)| *code).collect();
            field["constraints"] = json!({ "enum": codes });
        }
        Kind::Yes(_) => field["constraints"] = json!({ "enum": [0, 1] }),
        _ => {}
    }
    if !column.unit.is_empty() {
        field["unit"] = column.unit.into();
    }
    if let Some(gas) = &column.gas {
        field["species"] = species(gas);
    }
    field
}

fn species(gas: &GasInfo) -> Value {
    json!({ "cas": gas.cas, "formula": gas.formula, "name": gas.name, "molar_mass_g_mol": gas.molar_mass_g_mol })
}

fn describe(sheet: &Sheet) -> Value {
    let run = &sheet.run;
    let title = if run.plan.label.is_empty() { format!("Run {}", run.id) } else { run.plan.label.clone() };
    let mut package = json!({
        "profile": "data-package",
        "name": format!("run-{}", run.id.0.to_lowercase()),
        "id": run.id,
        "title": title,
        "description": run.plan.note,
        "created": run.started.to_seconds_string(),
        "keywords": keywords(sheet),
        "run": {
            "started": run.started.to_seconds_string(),
            "ended": run.ended.map(Utc::to_seconds_string),
            "outcome": run.outcome,
            "reason": run.reason,
        },
        "species": sheet.gases.iter().map(species).collect::<Value>(),
        "reference_channels": !channels::references(sheet).is_empty(),
        "software": sheet.provenance.software,
        "simulated": sheet.provenance.simulated,
        "multiplexer": {
            "driver": sheet.provenance.multiplexer,
            "simulated": sheet.provenance.multiplexer == "simulated",
        },
        "configuration": { "sha256": digest(&sheet.provenance.configuration) },
    });
    package["instrument"] = instrument(sheet);
    package["task"] = json!({ "asked": run.plan.task, "parameters": sheet.equipment.task });
    responsible(sheet, &mut package);
    provenance(sheet, &mut package);
    package
}

fn digest(text: &str) -> String {
    plan::hex(&Sha256::digest(text.as_bytes()))
}

fn keywords(sheet: &Sheet) -> BTreeSet<String> {
    let gases = sheet.gases.iter().flat_map(|gas| [gas.formula.clone(), gas.name.clone()]);
    gases.chain(["photoacoustic spectroscopy".to_owned()]).collect()
}

fn instrument(sheet: &Sheet) -> Value {
    let mut told = Map::new();
    if let Some(instrument) = &sheet.equipment.instrument {
        told.insert("manufacturer".into(), instrument.manufacturer.clone().into());
        told.insert("serial_number".into(), instrument.serial.clone().into());
        told.insert("model".into(), instrument.model.clone().into());
        told.insert("firmware".into(), instrument.firmware.clone().into());
        told.insert("name".into(), instrument.name.clone().into());
        told.insert("parameters".into(), serde_json::to_value(&instrument.parameters).unwrap_or_default());
        told.insert("cell_temperature_c".into(), instrument.cell_temperature_c.into());
    }
    told.into()
}

/// Who measured, where, and on which terms the data may be used.
fn responsible(sheet: &Sheet, package: &mut Value) {
    let Site { name, id, institution, ror, contact, lat, lon, altitude_m, license } = &sheet.provenance.site;
    package["site"] = json!({
        "name": name, "id": id, "institution": institution, "ror": ror, "contact": contact,
        "latitude": lat, "longitude": lon, "altitude_m": altitude_m,
    });
    let mut people = Vec::new();
    if !sheet.run.plan.operator.is_empty() {
        people.push(json!({ "title": sheet.run.plan.operator, "role": "contributor", "organization": institution }));
    }
    if !people.is_empty() {
        package["contributors"] = people.into();
    }
    if !license.is_empty() {
        package["licenses"] = json!([{ "name": license }]);
    }
}

/// In the terms of W3C PROV.
fn provenance(sheet: &Sheet, package: &mut Value) {
    let run = &sheet.run;
    package["prov:wasGeneratedBy"] = json!({
        "prov:type": "prov:Activity",
        "prov:id": format!("urn:gaserad:run:{}", run.id),
        "prov:startedAtTime": run.started.to_seconds_string(),
        "prov:endedAtTime": run.ended.map(Utc::to_seconds_string),
        "prov:used": [
            { "prov:type": "prov:Plan", "prov:id": format!("urn:sha256:{}", plan::digest_of(&run.plan)), "path": plan::NAME },
            { "prov:type": "prov:Entity", "prov:label": format!("measurement task {}", run.plan.task) },
        ],
        "prov:wasAssociatedWith": [
            { "prov:type": "prov:Person", "prov:label": run.plan.operator },
            { "prov:type": "prov:SoftwareAgent", "prov:label": sheet.provenance.software },
        ],
    });
}
