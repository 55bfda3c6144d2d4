//! Look-ups of many values at once: along the keys, block by block, and by the numbers of records.

use std::collections::BTreeMap;

use super::{Vault, VaultError, column_name, key_table, keys};

impl Vault {
    /// Calls `each` with the place in `values` and the number of every record that has one of them. `values` are in
    /// order, each once.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn places(
        &self,
        item: &str,
        values: &[&str],
        each: &mut dyn FnMut(usize, u64),
    ) -> Result<(), VaultError> {
        let table = key_table(item);
        match self.keys.get(&table) {
            Some(parts) => {
                parts.iter().try_for_each(|part| self.along(&table, *part, values, each))
            }
            None => self.scanned(item, values, each),
        }
    }

    /// Walks the values along the blocks of one part. Where the next value lies beyond the next block, its block is
    /// looked up: a short list opens few blocks, a long one each block once.
    fn along(
        &self,
        table: &str,
        part: i64,
        values: &[&str],
        each: &mut dyn FnMut(usize, u64),
    ) -> Result<(), VaultError> {
        let failed = |source| self.failed(source);
        let sql = format!(
            "SELECT first, last, packed FROM {table} WHERE part = ? AND last >= ? ORDER BY part, last"
        );
        let mut blocks = self.connection.prepare_cached(&sql).map_err(failed)?;
        let mut at = 0;
        'seek: while let Some(value) = values.get(at) {
            let mut rows = blocks.query((part, value)).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                self.in_time()?;
                let text =
                    |n: usize| row.get_ref(n).and_then(|cell| Ok(cell.as_str()?)).map_err(failed);
                let (first, last) = (text(0)?, text(1)?);
                let left = |at: usize| values.get(at..).unwrap_or_default();
                at += left(at).partition_point(|value| *value < first);
                match values.get(at) {
                    None => return Ok(()),
                    Some(value) if *value > last => continue 'seek,
                    Some(_) => {}
                }
                let packed = row.get_ref(2).and_then(|cell| Ok(cell.as_blob()?)).map_err(failed)?;
                keys::find_all(packed, left(at), &mut |n, number| each(at + n, number));
                // The last key may go on in the next block.
                at += left(at).partition_point(|value| *value < last);
            }
            break;
        }
        Ok(())
    }

    /// Without a table of keys every record is looked at, once.
    fn scanned(
        &self,
        item: &str,
        values: &[&str],
        each: &mut dyn FnMut(usize, u64),
    ) -> Result<(), VaultError> {
        let failed = |source| self.failed(source);
        let listed: BTreeMap<&str, usize> = values.iter().copied().zip(0..).collect();
        let sql = format!("SELECT number, {} FROM record ORDER BY number", column_name(item));
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            self.in_time()?;
            let value = row.get_ref(1).and_then(|cell| Ok(cell.as_str()?)).map_err(failed)?;
            if let Some(at) = listed.get(value) {
                let number: i64 = row.get(0).map_err(failed)?;
                each(*at, number.cast_unsigned());
            }
        }
        Ok(())
    }

    /// Calls `each` with the records of these numbers: the place among them, whether it removes, values of `columns`. In
    /// the order of the numbers few pages are opened twice.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn rows_of(
        &self,
        columns: &[String],
        numbers: &[u64],
        each: &mut dyn FnMut(usize, bool, &[String]),
    ) -> Result<(), VaultError> {
        let failed = |source| self.failed(source);
        let sql = format!("{} WHERE number = ?", Self::records(columns));
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        for (at, number) in numbers.iter().enumerate() {
            statement.raw_bind_parameter(1, number.cast_signed()).map_err(failed)?;
            self.each_row(statement.raw_query(), columns.len(), &mut |_, removed, values| {
                each(at, removed, values);
                true
            })?;
        }
        Ok(())
    }
}
