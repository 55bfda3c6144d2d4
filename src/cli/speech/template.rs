//! A sentence with holes, and which text was put into each.

/// A sentence as the source writes it: literal segments, and a hole between each two.
#[derive(Clone, Debug)]
pub(super) struct Template {
    segments: Vec<String>,
    /// Literal characters: the more, the surer.
    pub(super) weight: usize,
}

/// Letters from which on a template is told from others by them alone.
const WEIGHT_MIN: usize = 10;

/// Words of a value: a number and its unit.
const VALUE_WORDS_MAX: usize = 2;

/// What stands in a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filled<'a> {
    /// The text.
    pub(super) text: &'a str,
    /// It stands in quotes: a name, which is shown as it is.
    pub(super) quoted: bool,
    /// It stands after "cannot": a verb.
    pub(super) verb: bool,
}

impl Template {
    /// Reads `a {} b`.
    pub(super) fn new(text: &str) -> Self {
        let segments: Vec<String> = text.split("{}").map(str::to_owned).collect();
        let weight = segments.iter().map(|segment| segment.chars().count()).sum();
        Self { segments, weight }
    }

    /// What stands in each hole of a text that was made from this; nothing where it was not.
    ///
    /// The first and the last segment are anchored, each one between is taken where it comes first: if a text can be
    /// split at all, it is split so. The time is that of one search of the text for each segment.
    pub(super) fn matches<'a>(&self, text: &'a str) -> Option<Vec<Filled<'a>>> {
        let (first, rest) = self.segments.split_first()?;
        let mut left = text.strip_prefix(first.as_str())?;
        let Some((last, middle)) = rest.split_last() else {
            return left.is_empty().then(Vec::new);
        };
        left = left.strip_suffix(last.as_str())?;
        let mut holes = Vec::with_capacity(rest.len());
        let mut before = first;
        for segment in middle {
            let at = left.find(segment.as_str())?;
            let (hole, after) = left.split_at(at);
            holes.push(filled(before, hole, segment)?);
            left = &after[segment.len()..];
            before = segment;
        }
        holes.push(filled(before, left, last)?);
        self.sure(&holes).then_some(holes)
    }

    /// A template that begins with a hole and has few letters says little of its own: what it is taken for must be
    /// values, not sentences. And what comes after a colon is a cause, which no hole at the end takes in.
    fn sure(&self, holes: &[Filled<'_>]) -> bool {
        let value = |text: &str| text.split(' ').count() <= VALUE_WORDS_MAX && !text.contains(": ");
        let [first, .., last] = self.segments.as_slice() else { return true };
        let weak = self.weight < WEIGHT_MIN && first.is_empty();
        let open = last.is_empty() && !self.segments.iter().any(|segment| segment.contains(':'));
        let cause = open && holes.last().is_some_and(|hole| hole.text.contains(": "));
        !cause && (!weak || holes.iter().all(|hole| hole.quoted || value(hole.text)))
    }
}

/// A name in quotes has no quote in it, so that two names are never taken for one.
fn filled<'a>(before: &str, text: &'a str, after: &str) -> Option<Filled<'a>> {
    let quoted = before.ends_with('\'') && after.starts_with('\'');
    let verb = before == "cannot ";
    (!quoted || !text.contains('\'')).then_some(Filled { text, quoted, verb })
}

/// The other language's side: its text with `{}` or, where the order differs, `{1}`, `{2}`.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// As it is.
    Text(String),
    /// What stands in this hole of the English side, from 0.
    Hole(usize),
}

/// Reads the other language's side.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut count = 0;
    while let Some((before, from)) = rest.split_once('{') {
        let Some((digits, after)) = from.split_once('}') else { break };
        let hole = match digits.parse::<usize>() {
            Ok(number) => number.saturating_sub(1),
            Err(_) => count,
        };
        count += 1;
        parts.push(Part::Text(before.to_owned()));
        parts.push(Part::Hole(hole));
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    parts
}
