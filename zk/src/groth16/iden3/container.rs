//! iden3's binary container: magic, version, and numbered sections behind their sizes. Little-endian.

use std::collections::BTreeMap;

use crate::error::ZkError;

fn damaged(what: impl std::fmt::Display) -> ZkError {
    ZkError::InvalidKeyEncoding(format!("zkey: {what}"))
}

/// Bytes that are taken from the front, never past the end.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], ZkError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or_else(|| damaged("too short"))?;
        self.0 = tail;
        Ok(head)
    }

    pub fn u32(&mut self) -> Result<u32, ZkError> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes")))
    }

    fn u64(&mut self) -> Result<u64, ZkError> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes")))
    }

    pub fn finish(self) -> Result<(), ZkError> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged("trailing bytes")) }
    }
}

/// The sections of a file, each once, ids from 1 to `last`.
pub fn read<'a>(bytes: &'a [u8], magic: &[u8; 4], version: u32, last: u32) -> Result<BTreeMap<u32, &'a [u8]>, ZkError> {
    let mut r = Bytes(bytes);
    if r.take(4)? != magic {
        return Err(damaged("not such a file"));
    }
    let found = r.u32()?;
    if found != version {
        return Err(damaged(format!("version {found}; only {version} is read")));
    }
    let count = r.u32()?;
    if count > last {
        return Err(damaged(format!("{count} sections; at most {last}")));
    }
    let mut sections = BTreeMap::new();
    for _ in 0..count {
        let (id, size) = (r.u32()?, r.u64()?);
        let content = r.take(usize::try_from(size).map_err(|_| damaged("too short"))?)?;
        if !(1..=last).contains(&id) || sections.insert(id, content).is_some() {
            return Err(damaged(format!("section {id} is unknown or there twice")));
        }
    }
    r.finish()?;
    Ok(sections)
}

/// Writes a file of these sections, numbered from 1.
pub fn write(magic: &[u8; 4], version: u32, sections: &[&[u8]]) -> Vec<u8> {
    let mut out = magic.to_vec();
    out.extend(version.to_le_bytes());
    out.extend((sections.len() as u32).to_le_bytes());
    for (id, content) in (1u32..).zip(sections) {
        out.extend(id.to_le_bytes());
        out.extend((content.len() as u64).to_le_bytes());
        out.extend_from_slice(content);
    }
    out
}
