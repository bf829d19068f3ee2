//! NetCDF classic with 64-bit offsets, as far as it is written in one pass: fixed variables, then records.
//!
//! Everything is big-endian, and names, attributes and values begin at multiples of four bytes.

/// The type of a variable or an attribute, by its number in the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Byte = 1,
    Char = 2,
    Int = 4,
    Double = 6,
}

impl Type {
    const fn size(self) -> usize {
        match self {
            Self::Byte | Self::Char => 1,
            Self::Int => 4,
            Self::Double => 8,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Text(String),
    Bytes(Vec<i8>),
    Ints(Vec<i32>),
    Double(f64),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

pub type Attributes = Vec<(&'static str, Attribute)>;

/// Which of the dimensions a variable has.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    pub name: String,
    pub of: Type,
    pub dimensions: Vec<usize>,
    pub attributes: Attributes,
    /// Its values, of one without records.
    pub values: Vec<u8>,
}

/// A file before its records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Header {
    /// With their lengths; the first grows with the records.
    pub dimensions: Vec<(&'static str, u32)>,
    pub attributes: Attributes,
    pub variables: Vec<Variable>,
}

const DIMENSIONS: u32 = 10;
const VARIABLES: u32 = 11;
const ATTRIBUTES: u32 = 12;

impl Variable {
    fn is_of_records(&self) -> bool {
        self.dimensions.first() == Some(&0)
    }

    /// In the file, or of one record: rounded up to four bytes.
    fn bytes(&self, dimensions: &[(&'static str, u32)]) -> usize {
        let length = |dimension: &usize| dimensions.get(*dimension).map_or(1, |(_, length)| *length as usize);
        let values: usize = self.dimensions.iter().filter(|dimension| **dimension != 0).map(length).product();
        (values * self.of.size()).next_multiple_of(4)
    }
}

impl Header {
    /// What stands before the first of so many records.
    pub fn to_bytes(&self, records: u32) -> Vec<u8> {
        // Where each variable begins takes as many bytes wherever that is.
        let size = self.lead(records, &vec![0; self.variables.len()]).len();
        let mut out = self.lead(records, &self.places(size));
        for variable in self.variables.iter().filter(|variable| !variable.is_of_records()) {
            let from = out.len();
            out.extend_from_slice(&variable.values);
            out.resize(from + variable.bytes(&self.dimensions), 0);
        }
        out
    }

    fn places(&self, size: usize) -> Vec<u64> {
        let mut at = size as u64;
        let mut places = vec![0; self.variables.len()];
        for of_records in [false, true] {
            for (place, variable) in places.iter_mut().zip(&self.variables) {
                if variable.is_of_records() == of_records {
                    *place = at;
                    at += variable.bytes(&self.dimensions) as u64;
                }
            }
        }
        places
    }

    fn lead(&self, records: u32, places: &[u64]) -> Vec<u8> {
        let mut out = b"CDF\x02".to_vec();
        word(&mut out, records);
        list(&mut out, DIMENSIONS, self.dimensions.len());
        for (place, (dimension, length)) in self.dimensions.iter().enumerate() {
            name(&mut out, dimension);
            word(&mut out, if place == 0 { 0 } else { *length });
        }
        attributes(&mut out, &self.attributes);
        list(&mut out, VARIABLES, self.variables.len());
        for (variable, place) in self.variables.iter().zip(places) {
            name(&mut out, &variable.name);
            count(&mut out, variable.dimensions.len());
            variable.dimensions.iter().for_each(|dimension| count(&mut out, *dimension));
            attributes(&mut out, &variable.attributes);
            word(&mut out, variable.of as u32);
            count(&mut out, variable.bytes(&self.dimensions));
            out.extend_from_slice(&place.to_be_bytes());
        }
        out
    }
}

fn word(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn count(out: &mut Vec<u8>, value: usize) {
    word(out, u32::try_from(value).unwrap_or(u32::MAX));
}

fn list(out: &mut Vec<u8>, tag: u32, length: usize) {
    word(out, if length == 0 { 0 } else { tag });
    count(out, length);
}

fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
}

fn name(out: &mut Vec<u8>, name: &str) {
    count(out, name.len());
    padded(out, name.as_bytes());
}

fn attributes(out: &mut Vec<u8>, attributes: &Attributes) {
    list(out, ATTRIBUTES, attributes.len());
    for (key, value) in attributes {
        name(out, key);
        let (of, length, bytes) = match value {
            Attribute::Text(text) => (Type::Char, text.len(), text.as_bytes().to_vec()),
            Attribute::Bytes(bytes) => {
                (Type::Byte, bytes.len(), bytes.iter().map(|byte| byte.cast_unsigned()).collect())
            }
            Attribute::Ints(ints) => (Type::Int, ints.len(), ints.iter().flat_map(|int| int.to_be_bytes()).collect()),
            Attribute::Double(double) => (Type::Double, 1, double.to_be_bytes().to_vec()),
        };
        word(out, of as u32);
        count(out, length);
        padded(out, &bytes);
    }
}

/// One record in the making.
#[derive(Debug, Clone, Default)]
pub struct ClassicRecord {
    pub bytes: Vec<u8>,
}

/// What stands where nothing is known, as the format itself has it.
pub const NO_INT: i32 = -2_147_483_647;
pub const NO_DOUBLE: f64 = 9.969_209_968_386_869e36;

impl ClassicRecord {
    pub fn byte(&mut self, value: i8) {
        self.bytes.extend_from_slice(&[value.cast_unsigned(), 0, 0, 0]);
    }

    pub fn int(&mut self, value: Option<i32>) {
        self.bytes.extend_from_slice(&value.unwrap_or(NO_INT).to_be_bytes());
    }

    pub fn count(&mut self, value: Option<u32>) {
        self.int(value.map(|value| i32::try_from(value).unwrap_or(i32::MAX)));
    }

    pub fn double(&mut self, value: Option<f64>) {
        let value = value.filter(|value| value.is_finite()).unwrap_or(NO_DOUBLE);
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }
}

/// Texts of equal length, filled up with zeros, and that length.
pub fn texts<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> (Vec<u8>, u32) {
    let longest = texts.clone().map(str::len).max().unwrap_or(0).max(1);
    let filled = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(longest, 0);
        bytes
    };
    (texts.flat_map(filled).collect(), u32::try_from(longest).unwrap_or(u32::MAX))
}
