//! The fold as a cache: what a start reads instead of every entry that it was folded from.
//!
//! A head in JSON, then the pages of the tables as they are kept in memory, packed. Nothing of it is a fact, and it can
//! be deleted at any time. Whoever reads it must know that it is whole and whose it is (`adapters/fold_cache.rs`): the
//! form says nothing of either. It is read only by the very program that wrote it, so that it needs no version.

use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

use super::{Table, View, packed::Packed};

/// Bytes of a head or a page, at most: a length beyond is damage.
const PART_BYTES_MAX: u64 = 4 << 30;

/// Why a kept fold cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its head is not what was written.
    #[error("its head cannot be read: {0}")]
    Head(#[from] serde_json::Error),
    /// A page is not what was written, or a row would not come back as it is.
    #[error("a page of it is not what a fold is made of")]
    Page,
}

impl View {
    /// Writes the fold.
    ///
    /// # Errors
    /// `out` takes no more.
    pub fn keep(&self, out: &mut dyn Write) -> Result<(), KeptError> {
        let head = serde_json::to_vec(self)?;
        put_bytes(out, &head)?;
        put_table(out, &self.batches)?;
        put_table(out, &self.copies)?;
        put_table(out, &self.keys)?;
        put_table(out, &self.grants)?;
        put_table(out, &self.orders)
    }

    /// Reads a fold that [`View::keep`] wrote.
    ///
    /// # Errors
    /// It is not one.
    pub fn kept(from: &mut dyn Read) -> Result<Self, KeptError> {
        let length = get(from)?;
        let mut view: Self = serde_json::from_reader(io::BufReader::new(from.take(length)))?;
        get_table(from, &mut view.batches)?;
        get_table(from, &mut view.copies)?;
        get_table(from, &mut view.keys)?;
        get_table(from, &mut view.grants)?;
        get_table(from, &mut view.orders)?;
        for row in view.batches.loose_mut() {
            view.alike.share(row);
        }
        for row in view.keys.loose_mut() {
            row.link = view.alike.word(&row.link);
            row.channel = view.alike.word(&row.channel);
            row.by = view.alike.word(&row.by);
        }
        Ok(view)
    }
}

fn put_table<K, V: Serialize + DeserializeOwned>(
    out: &mut dyn Write,
    table: &Table<K, V>,
) -> Result<(), KeptError> {
    for page in table.pages() {
        let (number, loose, packed) = page.ok_or(KeptError::Page)?;
        put(out, 1)?;
        put(out, number)?;
        put(out, u64::from(loose))?;
        put(out, u64::from(packed.present))?;
        put_bytes(out, &packed.bytes)?;
    }
    Ok(put(out, 0)?)
}

fn get_table<K, V: Serialize + DeserializeOwned>(
    from: &mut dyn Read,
    table: &mut Table<K, V>,
) -> Result<(), KeptError> {
    while get(from)? == 1 {
        let number = get(from)?;
        let loose = get(from)? == 1;
        let present = u32::try_from(get(from)?).map_err(|_| KeptError::Page)?;
        let length = get(from)?;
        let mut bytes = Vec::new();
        from.take(length.min(PART_BYTES_MAX)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != length {
            return Err(KeptError::Page);
        }
        let packed = Packed { present, bytes: bytes.into_boxed_slice() };
        table.restore(number, loose, packed).ok_or(KeptError::Page)?;
    }
    Ok(())
}

fn put(out: &mut dyn Write, number: u64) -> io::Result<()> {
    out.write_all(&number.to_be_bytes())
}

fn put_bytes(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    put(out, bytes.len() as u64)?;
    out.write_all(bytes)
}

fn get(from: &mut dyn Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
}

/// Maps whose keys JSON has no names for.
pub(super) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
