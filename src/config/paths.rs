//! Whether two paths are the same place, or one lies within the other.
//!
//! Names are not enough: a symbolic link or a second mount gives one folder two names, and the key channel would run
//! through the data channel unseen. What is not there yet is judged by the nearest folder above it that is.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

/// A path without `.` and `..`, by its names alone.
pub(super) fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// A path and where it leads, asked once: links are compared each with each.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// With every link on its way followed, as far as it is there.
    real: PathBuf,
    /// Filesystem and number of what is there.
    own: Option<Identity>,
    /// The same of itself and the folders above.
    above: Vec<Identity>,
}

type Identity = (u64, u64);

impl Spot {
    /// Looks at a path.
    pub(super) fn of(path: &Path) -> Self {
        let real = resolved(path);
        let own = identity(&real);
        Self { above: real.ancestors().filter_map(identity).collect(), real, own }
    }

    /// Whether it is `folder` or lies within it.
    pub(super) fn within(&self, folder: &Self) -> bool {
        self.real.starts_with(&folder.real)
            || folder.own.is_some_and(|own| self.above.contains(&own))
    }

    /// Whether one of the two lies within the other.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.within(other) || other.within(self)
    }
}

/// Where a path leads. A part that is not there keeps its name.
fn resolved(path: &Path) -> PathBuf {
    for there in path.ancestors() {
        if let Ok(real) = there.canonicalize() {
            return path.strip_prefix(there).map_or_else(|_| real.clone(), |rest| real.join(rest));
        }
    }
    path.to_owned()
}

fn identity(path: &Path) -> Option<Identity> {
    let facts = fs::metadata(path).ok()?;
    Some((facts.dev(), facts.ino()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_path_is_judged_by_where_it_leads() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path();
        fs::create_dir_all(base.join("drop/deep")).unwrap();
        fs::create_dir(base.join("keys")).unwrap();
        std::os::unix::fs::symlink("drop/deep", base.join("alias")).unwrap();
        let spot = |path: &str| Spot::of(&base.join(path));
        for (path, folder, lies) in [
            ("drop/deep", "drop", true),
            ("drop", "drop", true),
            ("drop", "drop/deep", false),
            ("alias", "drop", true),
            ("alias/not-there-yet", "drop/deep", true),
            ("drop/deep", "alias", true),
            ("keys", "drop", false),
            ("drop-2", "drop", false),
            ("keys/not/there", "keys", true),
        ] {
            assert_eq!(spot(path).within(&spot(folder)), lies, "{path} in {folder}");
        }
        assert!(spot("drop").overlaps(&spot("alias")));
        assert!(!spot("keys").overlaps(&spot("alias")));
    }

    #[test]
    fn dots_are_taken_away_by_name() {
        for (path, plain) in [("/a/./b/../c", "/a/c"), ("/../a", "/a"), ("/a//b/", "/a/b")] {
            assert_eq!(lexical(Path::new(path)), Path::new(plain), "{path}");
        }
    }
}
