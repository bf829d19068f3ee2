//! Parquet: the columns of `samples.csv` with types, compressed with Snappy, in row groups of bounded size.
//!
//! A block is a row group, encoded column by column beside the others and copied into the file as it is.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::get_column_writer;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnPath, SchemaDescriptor, Type, TypePtr};
use serde_json::json;

use self::column::{ColumnBuffer, ColumnShape};
use super::columns::{self, Kind};
use super::{Assembler, Block, Broken, Encoder, ExportJob, Row};
use crate::domain::{GasInfo, Sheet};

mod column;

/// The columns of a file with these gases: name, what is stored, and whether every row has it.
fn shapes(gases: &[GasInfo]) -> impl Iterator<Item = (&str, ColumnShape, bool)> {
    let shape = |kind| match kind {
        Kind::Time => ColumnShape::Time,
        Kind::Number => ColumnShape::Double,
        Kind::Text | Kind::Words(_) | Kind::Flags => ColumnShape::Text,
        Kind::Whole | Kind::Codes(_) => ColumnShape::Int,
        Kind::Long => ColumnShape::Long,
        Kind::Yes(_) => ColumnShape::Bool,
    };
    columns::headings(gases).map(move |(name, kind, always)| (name, shape(kind), always))
}

fn schema(job: &ExportJob) -> Result<TypePtr, Broken> {
    let field = |(name, shape, required): (&str, ColumnShape, bool)| {
        let (physical, logical) = match shape {
            ColumnShape::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            ColumnShape::Double => (Physical::DOUBLE, None),
            ColumnShape::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            ColumnShape::Int => (Physical::INT32, None),
            ColumnShape::Long => (Physical::INT64, None),
            ColumnShape::Bool => (Physical::BOOLEAN, None),
        };
        let repetition = if required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        Ok(Arc::new(field.with_repetition(repetition).build()?))
    };
    let fields = shapes(&job.gases).map(field).collect::<Result<Vec<TypePtr>, Broken>>()?;
    Ok(Arc::new(Type::group_type_builder("samples").with_fields(fields).build()?))
}

/// What a reader looks for, so that it can pass over row groups.
const LOOKED_FOR: [&str; 3] = ["time_utc", "seq", "channel"];

/// Only words repeat enough for a dictionary.
fn properties(job: &ExportJob) -> WriterPropertiesPtr {
    let plain = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(described(job)));
    let words = shapes(&job.gases).filter(|(_, shape, _)| *shape == ColumnShape::Text);
    let built =
        words.fold(plain, |plain, (name, ..)| plain.set_column_dictionary_enabled(ColumnPath::from(name), true));
    let built = LOOKED_FOR.into_iter().fold(built, |built, name| {
        built.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::Chunk)
    });
    Arc::new(built.build())
}

/// What the columns and the runs are, for whoever opens the file without this documentation.
fn described(job: &ExportJob) -> Vec<KeyValue> {
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
    made: Vec<ColumnBuffer>,
    job: Arc<ExportJob>,
}

impl Columns {
    pub fn new(job: &Arc<ExportJob>) -> Self {
        let columns = shapes(&job.gases).map(|(_, shape, required)| ColumnBuffer::new(shape, required));
        Self {
            schema: schema(job).map(|schema| Arc::new(SchemaDescriptor::new(schema))),
            properties: properties(job),
            made: columns.collect(),
            job: job.clone(),
        }
    }
}

impl Encoder for Columns {
    fn row(&mut self, row: &Row) {
        let values = columns::values(row, &self.job.sheets[row.run]);
        self.made.iter_mut().zip(values).for_each(|(column, value)| column.put(value));
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

/// The file as it grows.
pub struct ParquetFile {
    writer: Option<SerializedFileWriter<Sink>>,
    made: Sink,
}

impl ParquetFile {
    pub fn new(job: &Arc<ExportJob>) -> Result<Self, Broken> {
        let made = Sink::default();
        let writer = SerializedFileWriter::new(made.clone(), schema(job)?, properties(job))?;
        Ok(Self { writer: Some(writer), made })
    }
}

impl Assembler for ParquetFile {
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
