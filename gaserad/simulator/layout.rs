//! How results are laid out, as another client may have set it.

/// Which fields a result has in ACON, as SCON set it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub time: bool,
    pub cas: bool,
    pub concentration: bool,
    pub inlet: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self { time: true, cas: true, concentration: true, inlet: false }
    }
}

impl Layout {
    pub fn parse(data: &str) -> Option<Self> {
        let bits: Vec<bool> = data.split_whitespace().map(bit).collect::<Option<_>>()?;
        match *bits.as_slice() {
            [time, cas, concentration] => Some(Self { time, cas, concentration, inlet: false }),
            [time, cas, concentration, inlet] => Some(Self { time, cas, concentration, inlet }),
            _ => None,
        }
    }
}

pub(super) fn bit(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}
