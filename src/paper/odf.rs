//! The package of an OpenDocument file (ODF 1.3; ODF-CNS 15251), of spreadsheets and texts alike: a ZIP file whose first
//! entry is its type, plain, so that it can be told from the first bytes. All times in it are the same.
//!
//! The XML is written here: the crates for it bring a hundred others, and none writes the same bytes twice.

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

use super::html::escaped;

/// How every part begins.
pub(super) const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The names that the parts use.
pub(super) const SPACES: &str = "xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
xmlns:style=\"urn:oasis:names:tc:opendocument:xmlns:style:1.0\" \
xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" \
xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
xmlns:fo=\"urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0\" \
xmlns:svg=\"urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0\" \
xmlns:meta=\"urn:oasis:names:tc:opendocument:xmlns:meta:1.0\" \
xmlns:dc=\"http://purl.org/dc/elements/1.1/\" office:version=\"1.3\"";

/// A package: its type, what it is called and when its facts were put together (RFC 3339), its styles and its content.
pub(super) struct Package<'a> {
    pub(super) mime: &'static str,
    pub(super) title: &'a str,
    pub(super) made_at: &'a str,
    pub(super) styles: String,
    pub(super) content: String,
}

impl Package<'_> {
    /// The file.
    pub(super) fn write(&self) -> Result<Vec<u8>, ZipError> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let packed = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file("mimetype", plain)?;
        zip.write_all(self.mime.as_bytes())?;
        for (name, text) in [
            ("META-INF/manifest.xml", &self.manifest()),
            ("meta.xml", &self.meta()),
            ("styles.xml", &self.styles),
            ("content.xml", &self.content),
        ] {
            zip.start_file(name, packed)?;
            zip.write_all(text.as_bytes())?;
        }
        Ok(zip.finish()?.into_inner())
    }

    fn manifest(&self) -> String {
        let mut text = format!(
            "{HEAD}<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\" \
             manifest:version=\"1.3\"><manifest:file-entry manifest:full-path=\"/\" manifest:version=\"1.3\" \
             manifest:media-type=\"{}\"/>",
            self.mime
        );
        for name in ["content.xml", "styles.xml", "meta.xml"] {
            let _ = write!(
                text,
                "<manifest:file-entry manifest:full-path=\"{name}\" manifest:media-type=\"text/xml\"/>"
            );
        }
        text + "</manifest:manifest>"
    }

    fn meta(&self) -> String {
        format!(
            "{HEAD}<office:document-meta {SPACES}><office:meta><meta:generator>batchward/{}</meta:generator>\
             <dc:title>{}</dc:title><meta:creation-date>{}</meta:creation-date><dc:language>zh-TW</dc:language>\
             </office:meta></office:document-meta>",
            env!("CARGO_PKG_VERSION"),
            escaped(self.title),
            escaped(self.made_at),
        )
    }
}
