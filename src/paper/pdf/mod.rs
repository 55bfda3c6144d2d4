//! A form as PDF/A-2u: pages that can be filed, with text that can be searched and copied, and with the glyphs of a
//! Traditional Chinese font that it uses.
//!
//! The pages are laid out first (`layout`), as lines, rules and grey boxes at their places; then they are drawn. The
//! foot of a page says how many there are, which only the layout knows.

mod fonts;
mod layout;

use fonts::Fonts;
use krilla::{
    Document, SerializeSettings,
    color::luma,
    configure::{Archival, ConfigurationBuilder, PdfVersion},
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    page::PageSettings,
    paint::{Fill, Stroke},
    surface::Surface,
};

use self::layout::{HEIGHT, Mark, Page, WIDTH};
use super::Form;

/// Why a form cannot be a PDF.
#[derive(Debug, thiserror::Error)]
pub enum PdfFault {
    /// There is no font that can be used.
    #[error("no font with Traditional Chinese characters can be read")]
    NoFont,
    /// The writer of PDF refused it.
    #[error("the PDF cannot be written: {0}")]
    Writer(String),
}

/// The file. `fonts` are the bytes of font files, the best first: the next is asked for only where those before it lack
/// a character. A character that none has stands as its number.
///
/// # Errors
/// [`PdfFault`].
pub fn write(form: &Form, fonts: &mut dyn Iterator<Item = Vec<u8>>) -> Result<Vec<u8>, PdfFault> {
    let mut fonts = Fonts::new(fonts).ok_or(PdfFault::NoFont)?;
    let pages = layout::pages(form, &mut fonts);
    let refused = |why: &dyn std::fmt::Debug| PdfFault::Writer(format!("{why:?}"));
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_U)
        .with_version(PdfVersion::Pdf17)
        .finish()
        .map_err(|why| refused(&why))?;
    let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    let metadata = Metadata::new()
        .title(form.full_title())
        .language("zh-Hant-TW".to_owned())
        .creator(concat!("batchward ", env!("CARGO_PKG_VERSION")).to_owned());
    document.set_metadata(match date(&form.made_at) {
        Some(date) => metadata.creation_date(date),
        None => metadata,
    });
    for page in &pages {
        let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| refused(&"page size"))?;
        let mut sheet = document.start_page_with(size);
        let mut surface = sheet.surface();
        draw(&mut surface, page, &mut fonts);
        surface.finish();
        sheet.finish();
    }
    document.finish().map_err(|why| refused(&why))
}

fn draw(surface: &mut Surface<'_>, page: &Page, fonts: &mut Fonts<'_>) {
    let black = luma::Color::black();
    for mark in &page.marks {
        match mark {
            Mark::Grey { x, y, width, height } => {
                let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) else { continue };
                let mut path = PathBuilder::new();
                path.push_rect(rect);
                let Some(path) = path.finish() else { continue };
                surface.set_stroke(None);
                surface.set_fill(Some(fill(luma::Color::new(232))));
                surface.draw_path(&path);
            }
            Mark::Rule { from, to, width } => {
                let mut path = PathBuilder::new();
                path.move_to(from.0, from.1);
                path.line_to(to.0, to.1);
                let Some(path) = path.finish() else { continue };
                surface.set_fill(None);
                surface.set_stroke(Some(Stroke {
                    paint: black.into(),
                    width: *width,
                    ..Stroke::default()
                }));
                surface.draw_path(&path);
            }
            Mark::Text { x, y, size, text } => {
                surface.set_stroke(None);
                surface.set_fill(Some(fill(black)));
                let mut at = *x;
                for run in fonts.runs(text) {
                    surface.draw_glyphs(
                        Point::from_xy(at, *y),
                        &run.glyphs,
                        run.font,
                        &run.text,
                        *size,
                        false,
                    );
                    at += run.width * size;
                }
            }
        }
    }
}

fn fill(color: luma::Color) -> Fill {
    Fill { paint: color.into(), opacity: NormalizedF32::ONE, ..Fill::default() }
}

/// The date of the file: that of its facts, never the clock's.
fn date(text: &str) -> Option<DateTime> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u8>().ok();
    Some(
        DateTime::new(text.get(..4)?.parse().ok()?)
            .month(part(5, 7)?)
            .day(part(8, 10)?)
            .hour(part(11, 13)?)
            .minute(part(14, 16)?)
            .second(part(17, 19)?)
            .utc_offset_hour(0)
            .utc_offset_minute(0),
    )
}
