//! One column of a row group in the making.

use bytes::Bytes;
use parquet::column::writer::{ColumnWriter, get_typed_column_writer_mut};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};

use super::super::Broken;
use super::super::columns::{self, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnShape {
    /// Microseconds since 1970.
    Time,
    Double,
    Text,
    Int,
    Long,
    Bool,
}

pub struct ColumnBuffer {
    values: Values,
    /// Whether there is a value, of each row; `None` where there always is.
    there: Option<Vec<i16>>,
}

enum Values {
    Int(Vec<i32>),
    Long(Vec<i64>),
    Double(Vec<f64>),
    Bool(Vec<bool>),
    Text(Vec<ByteArray>),
}

impl ColumnBuffer {
    pub fn new(shape: ColumnShape, required: bool) -> Self {
        let values = match shape {
            ColumnShape::Int => Values::Int(Vec::new()),
            ColumnShape::Time | ColumnShape::Long => Values::Long(Vec::new()),
            ColumnShape::Double => Values::Double(Vec::new()),
            ColumnShape::Bool => Values::Bool(Vec::new()),
            ColumnShape::Text => Values::Text(Vec::new()),
        };
        Self { values, there: (!required).then(Vec::new) }
    }

    /// A value of another shape is none.
    pub fn put(&mut self, value: Value<'_>) {
        let there = match (&mut self.values, value) {
            (Values::Int(values), Value::Whole(value)) => push(values, i32::try_from(value).unwrap_or(i32::MAX)),
            (Values::Long(values), Value::Whole(value)) => push(values, value),
            (Values::Long(values), Value::Time(utc)) => push(values, utc.as_micros()),
            (Values::Double(values), Value::Number(value)) => push(values, value),
            (Values::Double(values), Value::Epoch(utc)) => push(values, utc.as_seconds()),
            (Values::Bool(values), Value::Yes(value)) => push(values, value),
            (Values::Text(values), Value::Text(text)) => push(values, shared(values.last(), text)),
            (Values::Text(values), Value::Word(word)) => push(values, fixed(word)),
            (Values::Text(values), Value::Flags([])) => push(values, fixed("")),
            (Values::Text(values), Value::Flags([flag])) => push(values, fixed(flag.as_str())),
            (Values::Text(values), Value::Flags(flags)) => {
                push(values, ByteArray::from(columns::joined(flags).into_bytes()))
            }
            _ => 0,
        };
        if let Some(levels) = &mut self.there {
            levels.push(there);
        }
    }

    /// Hands over what was put, and begins anew.
    pub fn write(&mut self, writer: &mut ColumnWriter<'_>) -> Result<(), Broken> {
        let there = self.there.as_deref();
        match &mut self.values {
            Values::Int(values) => write::<Int32Type>(writer, values, there),
            Values::Long(values) => write::<Int64Type>(writer, values, there),
            Values::Double(values) => write::<DoubleType>(writer, values, there),
            Values::Bool(values) => write::<BoolType>(writer, values, there),
            Values::Text(values) => write::<ByteArrayType>(writer, values, there),
        }?;
        if let Some(levels) = &mut self.there {
            levels.clear();
        }
        Ok(())
    }
}

fn fixed(word: &'static str) -> ByteArray {
    ByteArray::from(Bytes::from_static(word.as_bytes()))
}

/// Rows that stand together mostly say the same: it is kept once.
fn shared(last: Option<&ByteArray>, text: &str) -> ByteArray {
    match last {
        Some(last) if last.data() == text.as_bytes() => last.clone(),
        _ => ByteArray::from(text.as_bytes().to_vec()),
    }
}

fn push<T>(values: &mut Vec<T>, value: T) -> i16 {
    values.push(value);
    1
}

fn write<T: DataType>(
    writer: &mut ColumnWriter<'_>,
    values: &mut Vec<T::T>,
    there: Option<&[i16]>,
) -> Result<(), Broken> {
    get_typed_column_writer_mut::<T>(writer).write_batch(values, there, None)?;
    values.clear();
    Ok(())
}
