//! Where everything stands on the pages: A4 landscape, the title in the middle, ruled tables whose head comes again on
//! each page, the page's number and the register that the form comes from at the foot.

use super::fonts::Fonts;
use crate::paper::{Column, Cover, Form, Table, form::struck};

/// A4 landscape, in points.
pub(super) const WIDTH: f32 = 841.89;
/// A4 landscape, in points.
pub(super) const HEIGHT: f32 = 595.28;

const SIDE: f32 = 34.0;
const TOP: f32 = 34.0;
const BOTTOM: f32 = 48.0;
const INNER: f32 = WIDTH - 2.0 * SIDE;
/// Space between a cell's rule and its text.
const PAD: f32 = 2.6;
const CELL: f32 = 8.0;
/// Sizes of the type in cells that are tried, one after the other, for a form that is to stand on one page.
const SMALLER: [f32; 4] = [7.4, 6.8, 6.3, 5.8];
const SMALL: f32 = 7.0;
/// Height of a box to sign off in.
const SEAT: f32 = 56.0;
const THIN: f32 = 0.5;
const THICK: f32 = 1.0;

/// A page.
#[derive(Default)]
pub(super) struct Page {
    pub(super) marks: Vec<Mark>,
}

/// Something on a page, in points from its upper left corner.
pub(super) enum Mark {
    /// A text; `y` is its baseline.
    Text { x: f32, y: f32, size: f32, text: String },
    /// A rule.
    Rule { from: (f32, f32), to: (f32, f32), width: f32 },
    /// A grey box.
    Grey { x: f32, y: f32, width: f32, height: f32 },
}

/// A line of a cell, and whether it is struck through.
#[derive(Clone)]
struct Line {
    text: String,
    struck: bool,
}

/// Lines of a cell, and whether they are centred.
struct Cell {
    lines: Vec<Line>,
    centred: bool,
}

struct Layout<'a, 'f> {
    /// Size of the type in cells.
    cell: f32,
    fonts: &'a mut Fonts<'f>,
    pages: Vec<Page>,
    /// Where the next thing begins on the last page.
    y: f32,
}

/// The pages of a form.
pub(super) fn pages(form: &Form, fonts: &mut Fonts<'_>) -> Vec<Page> {
    let pages = laid_out(form, fonts, CELL);
    if !form.one_page || pages.len() == 1 {
        return pages;
    }
    for size in SMALLER {
        let smaller = laid_out(form, fonts, size);
        if smaller.len() == 1 {
            return smaller;
        }
    }
    pages
}

fn laid_out(form: &Form, fonts: &mut Fonts<'_>, cell: f32) -> Vec<Page> {
    let mut layout = Layout { cell, fonts, pages: vec![Page::default()], y: TOP };
    if let Some(cover) = &form.cover {
        layout.cover(form, cover);
        layout.new_page();
    }
    layout.titles(form);
    for (n, table) in form.tables.iter().enumerate() {
        layout.table(form, table, n);
    }
    layout.seats(form);
    layout.said(form);
    layout.feet(form);
    layout.pages
}

const fn line_height(size: f32) -> f32 {
    size * 1.3
}

impl Layout<'_, '_> {
    fn push(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.marks.push(mark);
        }
    }

    fn new_page(&mut self) {
        self.pages.push(Page::default());
        self.y = TOP;
    }

    fn room(&self) -> f32 {
        HEIGHT - BOTTOM - self.y
    }

    fn width(&mut self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.fonts.width(c)).sum::<f32>() * size
    }

    /// A line at the current place, whose left end, middle or right end stands at `x`.
    fn line(&mut self, x: f32, size: f32, text: &str, align: f32) {
        let width = self.width(text, size);
        // Most of a Chinese character stands above its baseline.
        let y = self.y + size * 1.02;
        self.push(Mark::Text { x: x - width * align, y, size, text: text.to_owned() });
    }

    fn cover(&mut self, form: &Form, cover: &Cover) {
        self.y = HEIGHT * 0.24;
        for (text, size) in [(&form.agency, 18.0), (&form.title, 28.0), (&cover.volume, 24.0)] {
            let text = self.fonts.shown(text);
            for line in self.wrap(&text, size, INNER) {
                self.line(WIDTH / 2.0, size, &line, 0.5);
                self.y += line_height(size) + 10.0;
            }
        }
        self.y += 40.0;
        for (label, value) in &cover.lines {
            let text = self.fonts.shown(&format!("{label}：{value}"));
            self.line(WIDTH / 2.0, 13.0, &text, 0.5);
            self.y += line_height(13.0) + 6.0;
        }
    }

    fn titles(&mut self, form: &Form) {
        for (text, size) in [(&form.agency, 12.0), (&form.title, 17.0)] {
            let text = self.fonts.shown(text);
            for line in self.wrap(&text, size, INNER) {
                self.line(WIDTH / 2.0, size, &line, 0.5);
                self.y += line_height(size);
            }
        }
        self.y += 4.0;
        for heads in form.head_lines(INNER, |text| self.width(text, 9.0)) {
            let heads = self.fonts.shown(&heads);
            for line in self.wrap(&heads, 9.0, INNER) {
                self.line(SIDE, 9.0, &line, 0.0);
                self.y += line_height(9.0);
            }
        }
        self.y += 3.0;
    }

    /// A table; it goes on where the one before ended, if all of it has room there.
    fn table(&mut self, form: &Form, table: &Table, n: usize) {
        let shares: f32 = table.columns.iter().map(|c| f32::from(c.share)).sum();
        let widths: Vec<f32> =
            table.columns.iter().map(|c| INNER * f32::from(c.share) / shares.max(1.0)).collect();
        let head: Vec<Cell> = table
            .columns
            .iter()
            .zip(&widths)
            .map(|(column, width)| Cell { lines: self.cell(&column.title, *width), centred: true })
            .collect();
        let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(table.rows.len());
        for row in &table.rows {
            rows.push(self.cells(row, &table.columns, &widths));
        }
        let named = form.tables.len() > 1;
        let caption = if named { line_height(10.0) + 4.0 } else { 0.0 };
        let whole =
            caption + self.height(&head) + rows.iter().map(|row| self.height(row)).sum::<f32>();
        let some = caption + self.height(&head) + rows.first().map_or(0.0, |row| self.height(row));
        // In a volume each sheet begins on a page of its own.
        let volume = form.cover.is_some();
        if n > 0 && (volume || self.room() < whole) || self.room() < some {
            self.new_page();
        }
        self.caption(named.then_some(table.name.as_str()), "");
        self.row(&head, &widths, true);
        for row in rows {
            for part in self.parts(row, HEIGHT - TOP - BOTTOM - caption - self.height(&head)) {
                if self.room() < self.height(&part) {
                    self.new_page();
                    self.caption(named.then_some(table.name.as_str()), "（續）");
                    self.row(&head, &widths, true);
                }
                self.row(&part, &widths, false);
            }
        }
        self.y += 8.0;
    }

    fn caption(&mut self, name: Option<&str>, more: &str) {
        let Some(name) = name else { return };
        let text = self.fonts.shown(&format!("{name}{more}"));
        self.line(SIDE, 10.0, &text, 0.0);
        self.y += line_height(10.0) + 4.0;
    }

    fn cells(&mut self, row: &[String], columns: &[Column], widths: &[f32]) -> Vec<Cell> {
        let cells = columns.iter().zip(widths).enumerate();
        cells
            .map(|(n, (column, width))| {
                let text = row.get(n).map(String::as_str).unwrap_or_default();
                Cell { lines: self.cell(text, *width), centred: column.centred }
            })
            .collect()
    }

    fn cell(&mut self, text: &str, width: f32) -> Vec<Line> {
        let mut lines = Vec::new();
        for part in text.split('\n') {
            let (part, struck) = struck(part);
            let part = self.fonts.shown(part);
            let wrapped = self.wrap(&part, self.cell, width - 2.0 * PAD).into_iter();
            lines.extend(wrapped.map(|text| Line { text, struck }));
        }
        lines
    }

    /// A line of a cell at the current place.
    fn cell_line(&mut self, x: f32, line: &Line, align: f32) {
        self.line(x, self.cell, &line.text, align);
        if line.struck {
            let width = self.width(&line.text, self.cell);
            let (from, y) = (x - width * align, self.y + self.cell * 0.66);
            self.push(Mark::Rule { from: (from, y), to: (from + width, y), width: THIN });
        }
    }

    /// A row of a table with its rules.
    fn row(&mut self, cells: &[Cell], widths: &[f32], head: bool) {
        let (top, tall) = (self.y, self.height(cells));
        if head {
            self.push(Mark::Grey { x: SIDE, y: top, width: INNER, height: tall });
        }
        let mut x = SIDE;
        for (cell, width) in cells.iter().zip(widths) {
            let free = tall - 2.0 * PAD - self.lines_height(cell.lines.len());
            self.y = top + PAD + if head { free / 2.0 } else { 0.0 };
            for line in &cell.lines {
                if cell.centred {
                    self.cell_line(x + width / 2.0, line, 0.5);
                } else {
                    self.cell_line(x + PAD, line, 0.0);
                }
                self.y += line_height(self.cell);
            }
            x += width;
        }
        self.y = top + tall;
        self.frame(top, tall, widths);
    }

    /// Rules around and between the cells of a row.
    fn frame(&mut self, top: f32, tall: f32, widths: &[f32]) {
        let bottom = top + tall;
        for y in [top, bottom] {
            self.push(Mark::Rule { from: (SIDE, y), to: (SIDE + INNER, y), width: THIN });
        }
        let mut x = SIDE;
        self.push(Mark::Rule { from: (x, top), to: (x, bottom), width: THICK });
        for (n, width) in widths.iter().enumerate() {
            x += width;
            let width = if n + 1 == widths.len() { THICK } else { THIN };
            self.push(Mark::Rule { from: (x, top), to: (x, bottom), width });
        }
    }

    /// Boxes to sign off in, side by side; they stay together.
    fn seats(&mut self, form: &Form) {
        const IN_A_ROW: usize = 5;
        for seats in form.seats.chunks(IN_A_ROW) {
            let count = u16::try_from(seats.len()).unwrap_or(1);
            let widths = vec![INNER / f32::from(count); seats.len()];
            let mut head = Vec::new();
            let mut boxes: Vec<Cell> = Vec::new();
            for (seat, width) in seats.iter().zip(&widths) {
                head.push(Cell { lines: self.cell(&seat.office, *width), centred: true });
                let lines = self.cell(&seat.said(), *width);
                boxes.push(Cell { lines, centred: seat.signed.is_some() });
            }
            // What ink fills in is spread over the box.
            let spread = |cell: &Cell| match cell.centred {
                true => self.lines_height(cell.lines.len()),
                false => self.lines_height(cell.lines.len()) * 1.6 - self.cell,
            };
            let spreads: Vec<f32> = boxes.iter().map(spread).collect();
            let tall = spreads.iter().map(|spread| spread + 4.0 * PAD).fold(SEAT, f32::max);
            if self.room() < self.height(&head) + tall {
                self.new_page();
            }
            self.row(&head, &widths, true);
            let top = self.y;
            let mut x = SIDE;
            for ((cell, width), spreads) in boxes.iter().zip(&widths).zip(spreads) {
                self.y = top + (tall - spreads) / 2.0;
                let blank = !cell.centred;
                for line in &cell.lines {
                    if blank {
                        self.cell_line(x + 2.0 * PAD, line, 0.0);
                        self.y += line_height(self.cell) * 0.6;
                    } else {
                        self.cell_line(x + width / 2.0, line, 0.5);
                    }
                    self.y += line_height(self.cell);
                }
                x += width;
            }
            self.y = top + tall;
            self.frame(top, tall, &widths);
            self.y += 8.0;
        }
    }

    /// Remarks, and the register that the form comes from.
    fn said(&mut self, form: &Form) {
        for note in &form.notes {
            self.paragraph(note, self.cell);
        }
        self.y += 4.0;
        let proof: f32 = lines_of(form.proof.len(), SMALL);
        if self.room() < proof && proof < HEIGHT - TOP - BOTTOM {
            self.new_page();
        }
        for line in &form.proof {
            self.paragraph(line, SMALL);
        }
    }

    fn paragraph(&mut self, text: &str, size: f32) {
        let text = self.fonts.shown(text);
        for line in self.wrap(&text, size, INNER) {
            if self.room() < line_height(size) {
                self.new_page();
            }
            self.line(SIDE, size, &line, 0.0);
            self.y += line_height(size);
        }
    }

    /// The foot of every page.
    fn feet(&mut self, form: &Form) {
        let (count, at) = (self.pages.len(), HEIGHT - BOTTOM + 10.0);
        let pages = std::mem::take(&mut self.pages);
        for (n, page) in pages.into_iter().enumerate() {
            self.pages.push(page);
            self.y = at;
            let (left, right) = (self.fonts.shown(&form.foot), self.fonts.shown(&form.title));
            self.line(SIDE, SMALL, &left, 0.0);
            self.y += line_height(SMALL);
            let on = if form.one_page && n + 1 < count { "（接次頁）" } else { "" };
            let number = self.fonts.shown(&format!("第 {} 頁，共 {count} 頁{on}", n + 1));
            self.line(WIDTH / 2.0, 9.0, &number, 0.5);
            self.line(WIDTH - SIDE, SMALL, &right, 1.0);
        }
    }

    /// A text in lines of at most `width`: broken where UAX 14 allows it, and within a word that is wider alone.
    fn wrap(&mut self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let (mut line, mut used, mut from) = (String::new(), 0.0, 0);
        for (to, _) in unicode_linebreak::linebreaks(text) {
            let word = text.get(from..to).unwrap_or_default();
            from = to;
            let wide = self.width(word.trim_end(), size);
            if used > 0.0 && used + wide > width {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0.0;
            }
            if wide <= width {
                line.push_str(word);
                used += self.width(word, size);
                continue;
            }
            for c in word.chars() {
                let wide = self.fonts.width(c) * size;
                if used > 0.0 && used + wide > width {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push(c);
                used += wide;
            }
        }
        if !line.trim_end().is_empty() || lines.is_empty() {
            lines.push(line.trim_end().to_owned());
        }
        lines
    }

    fn lines_height(&self, lines: usize) -> f32 {
        lines_of(lines, self.cell)
    }

    fn height(&self, cells: &[Cell]) -> f32 {
        let lines = cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(1);
        self.lines_height(lines) + 2.0 * PAD
    }

    /// A row that no page could hold, in parts that each fit one.
    fn parts(&self, row: Vec<Cell>, room: f32) -> Vec<Vec<Cell>> {
        if self.height(&row) <= room {
            return vec![row];
        }
        let mut fit = 1;
        while self.lines_height(fit + 1) + 2.0 * PAD <= room {
            fit += 1;
        }
        let count = row.iter().map(|cell| cell.lines.len().div_ceil(fit)).max().unwrap_or(1);
        let part = |n: usize| {
            row.iter()
                .map(|cell| Cell {
                    lines: cell.lines.iter().skip(n * fit).take(fit).cloned().collect(),
                    centred: cell.centred,
                })
                .collect()
        };
        (0..count).map(part).collect()
    }
}

/// Height of so many lines.
fn lines_of(lines: usize, size: f32) -> f32 {
    f32::from(u16::try_from(lines).unwrap_or(u16::MAX)) * line_height(size)
}
