//! Which file a path names, however it is spelled.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// The file that a path names: absolute, without `.` and `..`, through every link, also one to what is not there yet. Two
/// paths that name one file give the same.
pub fn resolved(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut rest: VecDeque<OsString> = parts(&whole);
    let (mut real, mut links) = (PathBuf::new(), 0);
    while let Some(part) = rest.pop_front() {
        match Path::new(&part).components().next() {
            Some(Component::ParentDir) => {
                real.pop();
            }
            Some(Component::Normal(name)) => {
                real.push(name);
                if links < MOST_LINKS
                    && let Ok(target) = real.read_link()
                {
                    links += 1;
                    real.pop();
                    let mut ahead = parts(&target);
                    ahead.append(&mut rest);
                    rest = ahead;
                }
            }
            Some(Component::RootDir | Component::Prefix(_)) => real.push(&part),
            Some(Component::CurDir) | None => {}
        }
    }
    // Where case does not count, the system says how the name is written.
    let known = |path: &Path| path.canonicalize().ok();
    let beside = || Some(known(real.parent()?)?.join(real.file_name()?));
    known(&real).or_else(beside).unwrap_or(real)
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components().map(|part| part.as_os_str().to_owned()).collect()
}

/// As many as Linux follows.
const MOST_LINKS: usize = 40;

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_spelling_and_every_link_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("real/deep")).unwrap();
        fs::write(at("real/a.pem"), "x").unwrap();
        symlink("real", at("link")).unwrap();
        symlink("../real/a.pem", at("real/again.pem")).unwrap();
        symlink("real/new.pem", at("dangling.pem")).unwrap();
        for (one, other) in [
            ("real/a.pem", "./real/../real/a.pem"),
            ("real/a.pem", "link/a.pem"),
            ("real/a.pem", "real/again.pem"),
            ("real/a.pem", "link/deep/../again.pem"),
            ("real/new.pem", "dangling.pem"),
            ("none/b.pem", "link/../none/./c/../b.pem"),
        ] {
            assert_eq!(resolved(&at(one)), resolved(&at(other)), "{one} {other}");
        }
        for (one, other) in [("real/a.pem", "real/b.pem"), ("a.pem", "real/a.pem"), ("none/a", "none2/a")] {
            assert_ne!(resolved(&at(one)), resolved(&at(other)), "{one} {other}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_end() {
        let folder = tempfile::tempdir().unwrap();
        symlink("b", folder.path().join("a")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        assert!(resolved(&folder.path().join("a")).is_absolute());
    }
}
