//! Fonts: which glyph of which font stands for a character, and how wide it is.

use std::collections::BTreeMap;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::{
    FontRef, MetadataProvider,
    instance::{LocationRef, Size},
    raw::{FileRef, TableProvider},
    string::StringId,
};

/// Parts of the names of faces that draw characters as they are written in Taiwan, in files that hold several.
const TAIWAN: [&str; 3] = [" TC", " TW", "HK"];

/// The fonts of a document, and those that may still be asked for.
pub(super) struct Fonts<'f> {
    faces: Vec<Font>,
    bytes: Vec<(Vec<u8>, u32)>,
    more: &'f mut dyn Iterator<Item = Vec<u8>>,
    known: BTreeMap<char, Option<Glyph>>,
}

#[derive(Clone, Copy)]
struct Glyph {
    face: usize,
    id: u32,
    /// In parts of the size of the font.
    width: f32,
}

/// Characters of one font, side by side.
pub(super) struct Run {
    pub(super) font: Font,
    pub(super) glyphs: Vec<KrillaGlyph>,
    pub(super) text: String,
    /// In parts of the size of the font.
    pub(super) width: f32,
}

impl<'f> Fonts<'f> {
    /// Nothing where none of the files can be read.
    pub(super) fn new(more: &'f mut dyn Iterator<Item = Vec<u8>>) -> Option<Self> {
        let mut fonts = Self { faces: Vec::new(), bytes: Vec::new(), more, known: BTreeMap::new() };
        fonts.next_face().then_some(fonts)
    }

    /// Opens the next file that can be read and may be embedded.
    fn next_face(&mut self) -> bool {
        for bytes in &mut *self.more {
            let index = best(&bytes);
            let Some(font) = Font::new(bytes.clone().into(), index) else { continue };
            if FontRef::from_index(&bytes, index).is_ok_and(|face| may_be_embedded(&face)) {
                self.faces.push(font);
                self.bytes.push((bytes, index));
                return true;
            }
        }
        false
    }

    fn glyph(&mut self, c: char) -> Option<Glyph> {
        if let Some(known) = self.known.get(&c) {
            return *known;
        }
        let mut face = 0;
        let found = loop {
            if face == self.bytes.len() && !self.next_face() {
                break None;
            }
            if let Some(found) = self.glyph_in(face, c) {
                break Some(found);
            }
            face += 1;
        };
        self.known.insert(c, found);
        found
    }

    fn glyph_in(&self, face: usize, c: char) -> Option<Glyph> {
        let (bytes, index) = self.bytes.get(face)?;
        let font = FontRef::from_index(bytes, *index).ok()?;
        let id = font.charmap().map(c).filter(|id| id.to_u32() != 0)?;
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let units = f32::from(font.head().ok()?.units_per_em());
        Some(Glyph { face, id: id.to_u32(), width: metrics.advance_width(id)? / units })
    }

    /// What stands on paper for a text: a character that no font has, and one that has no meaning outside of one site
    /// (private use), as its number.
    pub(super) fn shown(&mut self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for c in text.chars() {
            if c.is_control() {
                continue;
            }
            if !is_private(c) && self.glyph(c).is_some() {
                shown.push(c);
            } else {
                let number = format!("[U+{:04X}]", u32::from(c));
                shown.extend(number.chars().filter(|c| self.glyph(*c).is_some()));
            }
        }
        shown
    }

    /// Width of a character that [`Fonts::shown`] left, in parts of the size of the font.
    pub(super) fn width(&mut self, c: char) -> f32 {
        self.glyph(c).map_or(0.0, |glyph| glyph.width)
    }

    /// A text as runs of one font each.
    pub(super) fn runs(&mut self, text: &str) -> Vec<Run> {
        let mut runs: Vec<(usize, Run)> = Vec::new();
        for c in text.chars() {
            let Some(glyph) = self.glyph(c) else { continue };
            if runs.last().is_none_or(|(face, _)| *face != glyph.face) {
                let Some(font) = self.faces.get(glyph.face).cloned() else { continue };
                let run = Run { font, glyphs: Vec::new(), text: String::new(), width: 0.0 };
                runs.push((glyph.face, run));
            }
            if let Some((_, run)) = runs.last_mut() {
                let start = run.text.len();
                run.text.push(c);
                let range = start..run.text.len();
                let id = GlyphId::new(glyph.id);
                run.glyphs.push(KrillaGlyph::new(id, glyph.width, 0.0, 0.0, 0.0, range, None));
                run.width += glyph.width;
            }
        }
        runs.into_iter().map(|(_, run)| run).collect()
    }
}

const fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// The face of a file that draws characters as they are written in Taiwan; the first one where none says so.
fn best(bytes: &[u8]) -> u32 {
    let Ok(FileRef::Collection(faces)) = FileRef::new(bytes) else { return 0 };
    let name = |index: u32| {
        let face = faces.get(index).ok()?;
        let names = face.localized_strings(StringId::FAMILY_NAME);
        Some(names.map(|name| name.chars().collect::<String>()).collect::<Vec<_>>())
    };
    let is = |index: &u32, part: &str| {
        let names = name(*index).unwrap_or_default();
        // A face for code is narrower than the others.
        names.iter().any(|name| name.contains(part)) && !names.iter().any(|n| n.contains("Mono"))
    };
    let found = TAIWAN.iter().find_map(|part| (0..faces.len()).find(|index| is(index, part)));
    found.unwrap_or(0)
}

/// Whether the font's own licence bits let it be put into a document.
fn may_be_embedded(face: &FontRef<'_>) -> bool {
    const RESTRICTED: u16 = 0x0002;
    face.os2().map_or(true, |table| table.fs_type() & 0x000f != RESTRICTED)
}
