//! What keys mean. Whatever touches the run is asked for once more, by the name of that run.

use gasera::domain::RunId;

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Char(char),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Stop,
    /// Ctrl-L.
    Repaint,
    Escape,
    Other,
}

/// What can be asked of gaserad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Pause,
    Resume,
    Skip,
    Finish,
    Abort,
}

impl Order {
    pub const fn of(key: char) -> Option<Self> {
        match key {
            'p' => Some(Self::Pause),
            'r' => Some(Self::Resume),
            's' => Some(Self::Skip),
            'f' => Some(Self::Finish),
            'a' => Some(Self::Abort),
            _ => None,
        }
    }

    pub const fn verb(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Skip => "skip",
            Self::Finish => "finish",
            Self::Abort => "abort",
        }
    }

    /// What is asked before it is done.
    pub fn question(self, run: &RunId) -> String {
        match self {
            Self::Pause => format!("Pause run {run} after the sample under way? y/N"),
            Self::Resume => format!("Resume run {run}? y/N"),
            Self::Skip => format!("Skip the channel under way of run {run}? y/N"),
            Self::Finish => format!("Finish run {run} after the channel under way? y/N"),
            Self::Abort => format!("Abort run {run}? y/N"),
        }
    }
}

/// What the bottom line shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Foot {
    /// What can be pressed.
    #[default]
    Keys,
    Confirm(Order, RunId),
    /// An order is under way.
    Asking(Order, RunId),
    Said {
        text: String,
        good: bool,
    },
}

/// What is to be done about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Nothing,
    NextGas,
    Help,
    Repaint,
    Order(Order, RunId),
    Quit,
    Interrupt,
    Stop,
}

impl Foot {
    /// `run` is the one under way.
    pub fn press(&mut self, key: Key, run: Option<&RunId>) -> Act {
        let before = std::mem::take(self);
        match (before, key) {
            (_, Key::Interrupt) => Act::Interrupt,
            (before, Key::Stop) => self.stay(before, Act::Stop),
            (before, Key::Repaint) => self.stay(before, Act::Repaint),
            (Self::Confirm(order, asked), Key::Char('y' | 'Y')) => self.confirmed(order, asked, run),
            (Self::Confirm(..), _) => Act::Nothing,
            (_, Key::Char('q')) => Act::Quit,
            (before, Key::Char('g' | '\t')) => self.stay(before, Act::NextGas),
            (before, Key::Char('?' | 'h')) => self.stay(before, Act::Help),
            (before, Key::Char(letter)) => match Order::of(letter) {
                Some(order) => self.wanted(order, run),
                None => self.stay(before, Act::Nothing),
            },
            (Self::Asking(order, run), _) => self.stay(Self::Asking(order, run), Act::Nothing),
            (_, _) => Act::Nothing,
        }
    }

    fn stay(&mut self, before: Self, act: Act) -> Act {
        *self = before;
        act
    }

    fn wanted(&mut self, order: Order, run: Option<&RunId>) -> Act {
        *self = if let Some(run) = run {
            Self::Confirm(order, run.clone())
        } else {
            let hint = match order {
                Order::Abort => "; `gaseractl abort RUN` calls off one that waits",
                _ => "",
            };
            let text = format!("No run is under way that one could {}{hint}", order.verb());
            Self::Said { text, good: false }
        };
        Act::Nothing
    }

    fn confirmed(&mut self, order: Order, asked: RunId, run: Option<&RunId>) -> Act {
        if run != Some(&asked) {
            let text = format!("Run {asked} has ended meanwhile; nothing was done");
            *self = Self::Said { text, good: false };
            return Act::Nothing;
        }
        *self = Self::Asking(order, asked.clone());
        Act::Order(order, asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> RunId {
        RunId(text.into())
    }

    #[test]
    fn every_order_is_asked_for_once_more_and_only_y_gives_it() {
        for (letter, order, question) in [
            ('p', Order::Pause, "Pause run A after the sample under way? y/N"),
            ('r', Order::Resume, "Resume run A? y/N"),
            ('s', Order::Skip, "Skip the channel under way of run A? y/N"),
            ('f', Order::Finish, "Finish run A after the channel under way? y/N"),
            ('a', Order::Abort, "Abort run A? y/N"),
        ] {
            let mut foot = Foot::default();
            assert_eq!(foot.press(Key::Char(letter), Some(&id("A"))), Act::Nothing);
            assert_eq!(foot, Foot::Confirm(order, id("A")));
            assert_eq!(order.question(&id("A")), question);
            let mut other = foot.clone();
            assert_eq!(foot.press(Key::Char('y'), Some(&id("A"))), Act::Order(order, id("A")));
            assert_eq!(foot, Foot::Asking(order, id("A")));
            for key in [Key::Char('n'), Key::Char('q'), Key::Char(letter), Key::Escape, Key::Other] {
                let mut declined = other.clone();
                assert_eq!((declined.press(key, Some(&id("A"))), declined), (Act::Nothing, Foot::Keys), "{key:?}");
            }
            assert_eq!(other.press(Key::Interrupt, Some(&id("A"))), Act::Interrupt);
        }
    }

    #[test]
    fn another_run_is_not_hit_by_an_order_for_the_one_before() {
        for now in [None, Some(id("B"))] {
            let mut foot = Foot::Confirm(Order::Skip, id("A"));
            assert_eq!(foot.press(Key::Char('y'), now.as_ref()), Act::Nothing);
            let text = "Run A has ended meanwhile; nothing was done".to_owned();
            assert_eq!(foot, Foot::Said { text, good: false });
        }
    }

    #[test]
    fn without_a_run_nothing_is_asked() {
        let mut foot = Foot::default();
        assert_eq!(foot.press(Key::Char('p'), None), Act::Nothing);
        let text = "No run is under way that one could pause".to_owned();
        assert_eq!(foot, Foot::Said { text, good: false });
    }

    #[test]
    fn looking_around_leaves_the_bottom_line_as_it_is() {
        for foot in [Foot::Keys, Foot::Asking(Order::Abort, id("A"))] {
            for (key, act) in
                [('g', Act::NextGas), ('?', Act::Help), ('x', Act::Nothing)].map(|(key, act)| (Key::Char(key), act))
            {
                let mut after = foot.clone();
                assert_eq!((after.press(key, Some(&id("A"))), &after), (act, &foot));
            }
        }
        assert_eq!(Foot::Keys.press(Key::Char('q'), Some(&id("A"))), Act::Quit);
        assert_eq!(Foot::Keys.press(Key::Stop, None), Act::Stop);
    }
}
