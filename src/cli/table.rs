//! Tables for people: columns that line up by display width and fit the terminal.
//!
//! Callers put what matters most to the left. Where the terminal is too narrow, cells are cut from the right with `…`,
//! then columns are dropped from the right; a pipe gets everything, uncut and without colour. What comes from outside
//! is cleaned before it is measured.

use std::io::{self, IsTerminal};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::limits::ROWS_HELD_MAX;

/// Cells that a column is not cut below before others are dropped.
const COLUMN_MIN: usize = 8;
const BETWEEN: usize = 2;

/// Where lines go.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Screen {
    /// Cells in a line; none where nothing is cut.
    pub(super) width: Option<usize>,
    /// Whether colour is wanted.
    pub(super) colour: bool,
}

impl Screen {
    /// Standard output as it is.
    #[expect(
        clippy::disallowed_methods,
        reason = "how a person wants to see things; decides nothing"
    )]
    pub(super) fn here() -> Self {
        let out = io::stdout();
        if !out.is_terminal() {
            return Self::default();
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        let width = terminal_size::terminal_size_of(&out).map(|(width, _)| usize::from(width.0));
        Self { width: width.filter(|w| *w > 0), colour: set("NO_COLOR").is_none() && !dumb }
    }

    /// A text in a tone.
    pub(super) fn toned(self, tone: Option<Tone>, text: &str) -> String {
        match tone {
            Some(tone) if self.colour => format!("\x1b[{}m{text}\x1b[0m", tone.code()),
            _ => text.to_owned(),
        }
    }
}

/// How a word of state stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// Waits for somebody.
    Waiting,
    /// Wrong.
    Bad,
}

impl Tone {
    const fn code(self) -> u8 {
        match self {
            Self::Good => 32,
            Self::Waiting => 33,
            Self::Bad => 31,
        }
    }

    /// The tone of a cell that is a word of state.
    pub(super) fn of(cell: &str) -> Option<Self> {
        match cell {
            "loaded" | "open" | "active" | "certified" | "closed" => Some(Self::Good),
            "waiting" | "verified" | "due" | "applied" | "requested" | "proposed" => {
                Some(Self::Waiting)
            }
            "quarantined" | "rejected" | "disabled" | "expired" | "late" | "alarm" => {
                Some(Self::Bad)
            }
            _ => None,
        }
    }
}

/// The lines of a table. `tones` has a row for each of `rows`, or is empty.
pub(super) fn lines(
    head: &[&str],
    rows: &[Vec<String>],
    tones: &[Vec<Option<Tone>>],
    screen: Screen,
) -> Vec<String> {
    let clean_row = |row: &[String]| row.iter().map(|cell| clean(cell)).collect::<Vec<_>>();
    let head: Vec<String> = head.iter().map(|h| (*h).to_owned()).collect();
    let table: Vec<Vec<String>> =
        std::iter::once(&head).chain(rows).map(|row| clean_row(row)).collect();
    let mut widths = vec![0; head.len()];
    for row in &table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    if let Some(room) = screen.width {
        fit(&mut widths, room);
    }
    let line = |(n, row): (usize, &Vec<String>)| {
        let tone = |column: usize| *tones.get(n.checked_sub(1)?)?.get(column)?;
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let cell = cut(cell, *width);
            (screen.toned(tone(column), &cell), cell.width())
        });
        beside(cells, &widths)
    };
    table.iter().enumerate().map(line).collect()
}

/// Cells beside each other, each with its width. Spaces come before the next one that is not empty: no line ends in
/// spaces.
fn beside(cells: impl Iterator<Item = (String, usize)>, widths: &[usize]) -> String {
    let mut text = String::new();
    let mut gap = 0;
    for ((cell, taken), width) in cells.zip(widths) {
        if taken > 0 {
            text.push_str(&" ".repeat(gap));
            text.push_str(&cell);
            gap = 0;
        }
        gap += width.saturating_sub(taken) + BETWEEN;
    }
    text
}

/// Rows that come one by one, and as many as there may be. The first of them are held back to find the widths, which
/// all later ones keep; nothing is cut, because what is looked up must be there to the last letter.
#[derive(Debug, Default)]
pub(super) struct Flow {
    widths: Vec<usize>,
    held: Vec<Vec<String>>,
    flows: bool,
}

impl Flow {
    /// Takes a row, the head first; gives the lines that can be shown.
    pub(super) fn row(&mut self, cells: &[String]) -> Vec<String> {
        let cells: Vec<String> = cells.iter().map(|cell| clean(cell)).collect();
        if self.flows {
            return vec![self.line(&cells)];
        }
        self.widths.resize(cells.len().max(self.widths.len()), 0);
        for (width, cell) in self.widths.iter_mut().zip(&cells) {
            *width = (*width).max(cell.width());
        }
        self.held.push(cells);
        if self.held.len() > ROWS_HELD_MAX { self.rest() } else { Vec::new() }
    }

    /// The lines that are still held back.
    pub(super) fn rest(&mut self) -> Vec<String> {
        self.flows = true;
        let held = std::mem::take(&mut self.held);
        held.iter().map(|cells| self.line(cells)).collect()
    }

    fn line(&self, cells: &[String]) -> String {
        beside(cells.iter().map(|cell| (cell.clone(), cell.width())), &self.widths)
    }
}

/// Makes columns narrower from the right until they fit; those that cannot be are dropped.
fn fit(widths: &mut Vec<usize>, room: usize) {
    let total =
        |widths: &[usize]| widths.iter().sum::<usize>() + BETWEEN * widths.len().saturating_sub(1);
    let least = |(n, width): (usize, &usize)| if n == 0 { *width } else { COLUMN_MIN.min(*width) };
    while widths.len() > 1 {
        let narrow: Vec<usize> = widths.iter().enumerate().map(least).collect();
        if total(&narrow) <= room {
            break;
        }
        widths.pop();
    }
    for n in (0..widths.len()).rev() {
        let over = total(widths).saturating_sub(room);
        let least = if n == 0 { 1 } else { COLUMN_MIN.min(widths[n]) };
        widths[n] = widths[n].saturating_sub(over).max(least);
    }
}

/// A text of at most so many cells; one that was cut ends in `…`.
fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used + 1 > room {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// A text without what a terminal would obey instead of showing: control characters, and changes of direction.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if is_harmless(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// Whether a terminal shows a character, and does nothing else with it.
pub(super) fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, proptest};

    use super::*;

    fn shown(rows: &[&[&str]], width: usize) -> Vec<String> {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        lines(&["id", "name", "unit"], &rows, &[], Screen { width: Some(width), colour: false })
    }

    const ROWS: &[&[&str]] = &[&["a-1", "王小明", "社會局救助科第二股"], &["a-2", "Henry", ""]];

    #[test]
    fn wide_characters_take_two_cells() {
        let lines = shown(ROWS, 80);
        assert_eq!(lines, ["id   name    unit", "a-1  王小明  社會局救助科第二股", "a-2  Henry"]);
    }

    fn row(cells: [&str; 2]) -> Vec<String> {
        cells.map(str::to_owned).to_vec()
    }

    #[test]
    fn rows_that_flow_line_up_with_the_first_of_them() {
        let mut flow = Flow::default();
        assert!(flow.row(&row(["name", "no"])).is_empty());
        assert!(flow.row(&row(["王小明", "1"])).is_empty());
        assert!(flow.row(&row(["A\x1b[2J\u{202e}", ""])).is_empty());
        let lines = flow.rest();
        assert_eq!(lines, ["name    no", "王小明  1", "A\u{fffd}[2J\u{fffd}"]);
        assert_eq!(flow.row(&row(["李", "2"])), ["李      2"]);
        assert_eq!(flow.row(&row(["司馬相如之子", "3"])), ["司馬相如之子  3"]);
        assert!(flow.rest().is_empty());
    }

    #[test]
    fn no_more_rows_are_held_back_than_the_limit() {
        let mut flow = Flow::default();
        let mut lines = 0;
        for n in 0..=ROWS_HELD_MAX {
            lines = flow.row(&row([&n.to_string(), "x"])).len();
            assert!(lines == 0 || n == ROWS_HELD_MAX);
        }
        assert_eq!(lines, ROWS_HELD_MAX + 1);
        assert_eq!(flow.row(&row(["1", "x"])).len(), 1);
    }

    #[test]
    fn what_matters_least_is_cut_first_and_then_dropped() {
        assert_eq!(shown(ROWS, 24)[1], "a-1  王小明  社會局救助…");
        assert_eq!(shown(ROWS, 21)[1], "a-1  王小明  社會局…");
        assert_eq!(shown(ROWS, 19)[1], "a-1  王小明");
        assert_eq!(shown(ROWS, 8)[1], "a-1");
        assert_eq!(shown(ROWS, 2)[1], "a…");
    }

    #[test]
    fn colour_is_added_to_words_of_state_and_to_nothing_else() {
        let rows = vec![vec!["b-1".to_owned(), "quarantined".to_owned()]];
        let tones = vec![rows[0].iter().map(|cell| Tone::of(cell)).collect::<Vec<_>>()];
        let screen = Screen { width: None, colour: true };
        let lines = lines(&["id", "state"], &rows, &tones, screen);
        assert_eq!(lines, ["id   state", "b-1  \x1b[31mquarantined\x1b[0m"]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_screen_or_holds_what_a_terminal_obeys(
            rows in prop::collection::vec(prop::collection::vec(any::<String>(), 3), 0..6),
            width in 4usize..90,
        ) {
            let screen = Screen { width: Some(width), colour: false };
            for line in lines(&["id", "name", "unit"], &rows, &[], screen) {
                prop_assert!(line.chars().all(is_harmless));
                prop_assert!(line.width() <= width, "{} > {width}: {line}", line.width());
            }
        }
    }
}
