//! Parquet: the columns of `samples.csv` with types, compressed with Snappy, in row groups of bounded size.
//!
//! A block is a row group, encoded column by column beside the others and copied into the file as it is.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::{ColumnCloseResult, get_column_writer};
use parquet::data_type::ByteArray;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnPath, SchemaDescriptor, Type, TypePtr};
use serde_json::json;

use self::column::{Column, Shape, Value};
use super::{Assembler, Block, Broken, Encoder, Job, Row, csv};
use crate::domain::{Channel, GasInfo, Sheet};

mod column;

/// Some 4 MB of columns; larger ones would hardly be smaller files.
pub const ROW_GROUP: u32 = 32_768;

/// An encoded column of one row group.
pub type Chunk = (Bytes, ColumnCloseResult);

/// What stands in each column, in the order of `samples.csv`, and whether every row has it.
fn shapes(gases: &[GasInfo]) -> Vec<(&str, Shape, bool)> {
    let shape = |column| match column {
        "time_utc" | "time_read_utc" => (Shape::Time, true),
        "time_unix_s" => (Shape::Double, true),
        "run_id" | "run_label" | "attribution" | "qc_flags" | "position_verified" => (Shape::Text, true),
        "channel_label" | "channel_kind" => (Shape::Text, false),
        "seq" | "qc" => (Shape::Int, true),
        "repeat" | "visit_id" | "channel" | "sample_in_visit" => (Shape::Int, false),
        "iteration" => (Shape::Long, false),
        "discard" => (Shape::Bool, true),
        _ => (Shape::Double, false),
    };
    let shaped = |column| {
        let (shape, required) = shape(column);
        (column, shape, required)
    };
    csv::columns(gases).map(shaped).collect()
}

fn schema(job: &Job) -> Result<TypePtr, Broken> {
    let field = |(name, shape, required): (&str, Shape, bool)| {
        let (physical, logical) = match shape {
            Shape::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            Shape::Double => (Physical::DOUBLE, None),
            Shape::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Shape::Int => (Physical::INT32, None),
            Shape::Long => (Physical::INT64, None),
            Shape::Bool => (Physical::BOOLEAN, None),
        };
        let repetition = if required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        Ok(Arc::new(field.with_repetition(repetition).build()?))
    };
    let fields = shapes(&job.gases).into_iter().map(field).collect::<Result<Vec<TypePtr>, Broken>>()?;
    Ok(Arc::new(Type::group_type_builder("samples").with_fields(fields).build()?))
}

/// What a reader looks for, so that it can pass over row groups.
const LOOKED_FOR: [&str; 3] = ["time_utc", "seq", "channel"];

/// Only words repeat enough for a dictionary.
fn properties(job: &Job) -> WriterPropertiesPtr {
    let plain = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(described(job)));
    let words = shapes(&job.gases).into_iter().filter(|(_, shape, _)| *shape == Shape::Text);
    let built =
        words.fold(plain, |plain, (name, ..)| plain.set_column_dictionary_enabled(ColumnPath::from(name), true));
    let built = LOOKED_FOR.into_iter().fold(built, |built, name| {
        built.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::Chunk)
    });
    Arc::new(built.build())
}

/// What the columns and the runs are, for whoever opens the file without this documentation.
fn described(job: &Job) -> Vec<KeyValue> {
    let gas = |gas: &GasInfo| json!({ "column": gas.column, "formula": gas.formula, "name": gas.name, "cas": gas.cas, "unit": "ppm" });
    let run = |sheet: &Sheet| json!({ "run_id": sheet.run.id, "run_label": sheet.run.plan.label, "started_utc": sheet.run.started });
    let all = |values: Vec<serde_json::Value>| Some(serde_json::Value::from(values).to_string());
    vec![
        KeyValue::new("gasera.gases".into(), all(job.gases.iter().map(gas).collect())),
        KeyValue::new("gasera.runs".into(), all(job.sheets.iter().map(run).collect())),
        KeyValue::new("gasera.made_by".into(), Some(concat!("gaserad ", env!("CARGO_PKG_VERSION")).to_owned())),
    ]
}

/// Rows by column, until they are a row group.
pub struct Columns {
    schema: Result<Arc<SchemaDescriptor>, Broken>,
    properties: WriterPropertiesPtr,
    made: Vec<Column>,
    names: Names,
}

impl Columns {
    pub fn new(job: &Arc<Job>) -> Self {
        let columns = shapes(&job.gases).into_iter().map(|(_, shape, required)| Column::new(shape, required));
        Self {
            schema: schema(job).map(|schema| Arc::new(SchemaDescriptor::new(schema))),
            properties: properties(job),
            made: columns.collect(),
            names: Names::of(job),
        }
    }
}

impl Encoder for Columns {
    fn row(&mut self, row: &Row) {
        let mut into = self.made.iter_mut();
        let names = &self.names.0[row.run];
        let line = row.channel.and_then(|channel| names.lines.get(usize::from(channel.number())));
        let mut put = |value: Value<'_>| {
            if let Some(column) = into.next() {
                column.put(value);
            }
        };
        put(Value::Long(Some(row.sampled.as_micros())));
        put(Value::Double(Some(row.sampled.as_seconds())));
        put(Value::Long(Some(row.read.as_micros())));
        put(Value::Text(Some(&names.run)));
        put(Value::count(Some(row.seq)));
        put(Value::Text(Some(&names.run_label)));
        put(Value::count(row.repeat));
        put(Value::count(row.visit.map(|visit| visit.0)));
        put(Value::Int(row.channel.map(|channel| channel.number().into())));
        put(Value::Text(line.map(|(label, _)| label)));
        put(Value::Text(line.map(|(_, kind)| kind)));
        put(Value::Word(row.attribution.as_str()));
        put(Value::Double(row.elapsed_s));
        put(Value::count(row.sample_in_visit));
        put(Value::Bool(row.discard));
        for gas in &row.gases {
            put(Value::Double(gas.usable()));
        }
        put(Value::Int(Some(row.qc.code().into())));
        match row.flags.as_slice() {
            [] => put(Value::Word("")),
            [flag] => put(Value::Word(flag.as_str())),
            flags => put(Value::Text(Some(&ByteArray::from(csv::joined(flags).into_bytes())))),
        }
        put(Value::Word(row.verification.as_str()));
        put(Value::Long(row.iteration.map(i64::from)));
        into.for_each(|column| column.put(Value::Double(None)));
    }

    fn block(&mut self) -> Result<Block, Broken> {
        let schema = match &self.schema {
            Ok(schema) => schema.clone(),
            Err(broken) => return Err(Broken::Schema(broken.to_string())),
        };
        let mut chunks = Vec::with_capacity(self.made.len());
        for (place, column) in self.made.iter_mut().enumerate() {
            let mut sink = TrackedWrite::new(Vec::new());
            let pages = Box::new(SerializedPageWriter::new(&mut sink));
            let mut writer = get_column_writer(schema.column(place), self.properties.clone(), pages);
            column.write(&mut writer)?;
            let closed = writer.close()?;
            chunks.push((Bytes::from(sink.into_inner()?), closed));
        }
        Ok(Block::Columns(chunks))
    }
}

/// Words that many rows share, made once.
struct Names(Vec<RunNames>);

struct RunNames {
    run: ByteArray,
    run_label: ByteArray,
    /// Label and kind, by the number of the channel.
    lines: Vec<(ByteArray, ByteArray)>,
}

impl Names {
    fn of(job: &Job) -> Self {
        let word = |text: &str| ByteArray::from(text.as_bytes().to_vec());
        let lines = |sheet: &Sheet| {
            let line = |number| csv::line(Channel::new(number), sheet);
            (0..=Channel::MAX).map(line).map(|(label, kind)| (word(label), word(kind))).collect()
        };
        let run = |sheet: &Sheet| RunNames {
            run: word(&sheet.run.id.0),
            run_label: word(&sheet.run.plan.label),
            lines: lines(sheet),
        };
        Self(job.sheets.iter().map(run).collect())
    }
}

/// The file as it grows.
pub struct File {
    writer: Option<SerializedFileWriter<Sink>>,
    made: Sink,
}

impl File {
    pub fn new(job: &Arc<Job>) -> Result<Self, Broken> {
        let made = Sink::default();
        let writer = SerializedFileWriter::new(made.clone(), schema(job)?, properties(job))?;
        Ok(Self { writer: Some(writer), made })
    }
}

impl Assembler for File {
    fn begin(&mut self) -> Result<Vec<u8>, Broken> {
        Ok(self.made.take())
    }

    fn append(&mut self, block: Block) -> Result<Vec<u8>, Broken> {
        let (Block::Columns(chunks), Some(writer)) = (block, &mut self.writer) else {
            return Err(Broken::Foreign("parquet"));
        };
        if chunks.first().is_some_and(|(_, closed)| closed.rows_written > 0) {
            let mut group = writer.next_row_group()?;
            for (bytes, closed) in chunks {
                group.append_column(&bytes, closed)?;
            }
            group.close()?;
        }
        Ok(self.made.take())
    }

    fn end(&mut self) -> Result<Vec<u8>, Broken> {
        if let Some(writer) = self.writer.take() {
            writer.close()?;
        }
        Ok(self.made.take())
    }
}

/// What the writer of the file has written, for whoever takes it away.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
