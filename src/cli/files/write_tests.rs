//! What [`WriteSet`] promises.

use super::*;
use crate::cli::output::tests::captured;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn listing(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap()
    }

    /// Writes `name -> name` for each name.
    fn write(&self, names: &[&str], force: bool) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = WriteSet::new(force);
        for name in names {
            files.add(self.at(name), name.as_bytes().to_vec(), Mode::Secret);
        }
        files.write(&mut captured(false, false).0)
    }

    fn refusal(&self, names: &[&str], force: bool) -> String {
        format!("{:#}", self.write(names, force).unwrap_err())
    }
}

#[test]
fn all_files_are_written_and_nothing_else() {
    let place = Place::new();
    assert_eq!(place.write(&["a", "b"], false).unwrap(), [place.at("a"), place.at("b")]);
    assert_eq!((place.text("a").as_str(), place.text("b").as_str()), ("a", "b"));
    assert_eq!(place.listing(), ["a", "b"]);
}

#[test]
fn nothing_is_replaced_without_force() {
    let place = Place::new();
    fs::write(place.at("b"), "old").unwrap();
    assert!(place.refusal(&["a", "b"], false).ends_with("b: it exists already"));
    assert_eq!((place.listing(), place.text("b")), (vec!["b".to_owned()], "old".to_owned()));
    place.write(&["a", "b"], true).unwrap();
    assert_eq!((place.listing(), place.text("b")), (vec!["a".to_owned(), "b".to_owned()], "b".to_owned()));
}

#[test]
fn a_folder_is_never_replaced() {
    let place = Place::new();
    fs::create_dir(place.at("b")).unwrap();
    for force in [false, true] {
        assert!(place.refusal(&["a", "b"], force).ends_with("b: it is a folder"));
    }
    assert_eq!(place.listing(), ["b"]);
}

#[test]
fn a_missing_folder_is_named() {
    let place = Place::new();
    let error = place.write(&["a", "x/b"], false).unwrap_err();
    assert!(format!("{error:#}").contains("there is no folder"));
    assert!(place.listing().is_empty());
}

#[test]
fn one_place_is_given_once() {
    let place = Place::new();
    fs::create_dir(place.at("d")).unwrap();
    assert!(place.refusal(&["a", "d/../a"], true).ends_with("it is given twice"));
    assert!(same_place(&place.at("a"), &place.at("d/../a")));
    assert!(same_place(Path::new("x"), Path::new("./x")));
    assert!(!same_place(&place.at("a"), &place.at("d/a")));
}

#[test]
fn a_name_that_is_a_folders_is_refused() {
    let place = Place::new();
    for name in ["a/", "..", "a/.."] {
        assert!(place.refusal(&[name], true).ends_with("it is no file's name"), "{name}");
    }
    assert!(WriteSet::check([Path::new("")], true, &captured(false, false).0).is_err());
}

#[test]
fn a_pair_is_written_both_or_neither() {
    let place = Place::new();
    for (name, text) in [("a", "old a"), ("c", "old c")] {
        fs::write(place.at(name), text).unwrap();
    }
    let stage = |name: &str| {
        let (path, contents) = (place.at(name), b"new".to_vec().into());
        super::stage(&Entry { path, contents, mode: Mode::Secret, replaces: false }, &place.at(name), false).unwrap()
    };
    let mut placed = Placed::default();
    placed.put(stage("a"), &place.at("a"), true).unwrap();
    placed.put(stage("b"), &place.at("b"), true).unwrap();
    assert_eq!((place.text("a").as_str(), place.text("b").as_str()), ("new", "new"));
    // As if somebody else had been quicker than this process between its check and its rename.
    assert_eq!(placed.put(stage("c"), &place.at("c"), false).unwrap_err().to_string(), "it exists already");
    drop(placed);
    assert_eq!((place.text("a").as_str(), place.text("c").as_str()), ("old a", "old c"));
    assert_eq!(place.listing(), ["a", "c"]);
}

#[test]
fn a_file_moved_aside_comes_back_too() {
    let place = Place::new();
    fs::write(place.at("a"), "old").unwrap();
    let kept = keep(&place.at("a"), |from, to| fs::rename(from, to)).unwrap();
    assert!(!place.at("a").exists());
    fs::write(place.at("a"), "new").unwrap();
    drop(Placed { files: vec![(place.at("a"), Some(kept))] });
    assert_eq!((place.listing(), place.text("a")), (vec!["a".to_owned()], "old".to_owned()));
}

#[test]
fn contents_are_never_shown() {
    let mut files = WriteSet::new(false);
    files.add("a", b"hunter2".to_vec(), Mode::Secret);
    assert_eq!(
        format!("{files:?}"),
        "WriteSet { force: false, lasting: false, whole: false, files: [Entry { path: \"a\", mode: Secret, replaces: false, .. }] }"
    );
}

#[test]
fn a_dash_is_stdout() {
    let place = Place::new();
    let (mut session, out, _) = captured(false, false);
    let mut files = WriteSet::new(false);
    files.add("-", b"one ".to_vec(), Mode::Secret);
    files.add(place.at("a"), b"a".to_vec(), Mode::Public);
    files.add("-", b"two".to_vec(), Mode::Public);
    assert_eq!(files.write(&mut session).unwrap(), [place.at("a")]);
    assert_eq!(out.text(), "one two");
}

#[test]
fn a_dash_and_json_leave_nothing() {
    let place = Place::new();
    let mut files = WriteSet::new(false);
    files.add(place.at("a"), b"a".to_vec(), Mode::Public);
    files.add("-", b"b".to_vec(), Mode::Public);
    assert!(files.write(&mut captured(true, false).0).is_err());
    assert!(place.listing().is_empty());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_key_is_0600_even_where_a_0644_file_was() {
        let place = Place::new();
        fs::write(place.at("a"), "old").unwrap();
        fs::set_permissions(place.at("a"), fs::Permissions::from_mode(0o644)).unwrap();
        place.write(&["a"], true).unwrap();
        assert_eq!(fs::metadata(place.at("a")).unwrap().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_public_file_is_what_the_umask_lets() {
        let place = Place::new();
        fs::write(place.at("ordinary"), "").unwrap();
        let umask = !fs::metadata(place.at("ordinary")).unwrap().mode();
        let mut files = WriteSet::new(false);
        files.add(place.at("a"), b"a".to_vec(), Mode::Public);
        files.write(&mut captured(false, false).0).unwrap();
        assert_eq!(fs::metadata(place.at("a")).unwrap().mode() & 0o777, 0o644 & !umask);
    }

    #[test]
    fn a_link_stays_and_leads_to_the_new_file() {
        let place = Place::new();
        fs::create_dir(place.at("live")).unwrap();
        fs::write(place.at("live/a"), "old").unwrap();
        symlink("live/a", place.at("b")).unwrap();
        symlink("b", place.at("a")).unwrap();
        assert!(place.refusal(&["a"], false).ends_with("it is a link to b"));
        place.write(&["a"], true).unwrap();
        assert_eq!(fs::read_link(place.at("a")).unwrap(), Path::new("b"));
        assert_eq!(
            (place.text("live/a").as_str(), place.listing()),
            ("a", ["a", "b", "live"].map(str::to_owned).into())
        );
        assert_eq!(fs::read_dir(place.at("live")).unwrap().count(), 1);
        assert!(place.refusal(&["a", "live/a"], true).ends_with("it is given twice"));
    }

    #[test]
    fn a_link_that_leads_to_no_file_is_refused() {
        let place = Place::new();
        symlink("nowhere", place.at("a")).unwrap();
        symlink("c", place.at("b")).unwrap();
        symlink("b", place.at("c")).unwrap();
        for (name, why) in [("a", "no such file"), ("b", "leads to no file")] {
            assert!(place.refusal(&[name], true).ends_with(why), "{name}");
        }
        assert_eq!(place.listing(), ["a", "b", "c"]);
    }

    #[test]
    fn a_pair_that_fails_leaves_what_a_link_leads_to() {
        let place = Place::new();
        fs::write(place.at("target"), "old").unwrap();
        symlink("target", place.at("a")).unwrap();
        let mut files = WriteSet::new(true);
        files.add(place.at("a"), b"new".to_vec(), Mode::Secret);
        files.add("/dev/full", b"x".to_vec(), Mode::Public);
        files.write(&mut captured(false, false).0).unwrap_err();
        assert_eq!((place.listing(), place.text("target")), (vec!["a".into(), "target".into()], "old".to_owned()));
    }

    #[test]
    fn a_new_file_may_be_read_by_those_who_might_read_the_old_one() {
        let place = Place::new();
        for (mode, old, new) in [
            (Mode::Secret, 0o640, 0o640),
            (Mode::Secret, 0o4750, 0o640),
            (Mode::Secret, 0o400, 0o400),
            (Mode::Secret, 0o604, 0o600),
            (Mode::Public, 0o600, 0o600),
            (Mode::Public, 0o640, 0o640),
            (Mode::Public, 0o664, 0o664),
            (Mode::Public, 0o755, 0o644),
        ] {
            fs::write(place.at("a"), "old").unwrap();
            fs::set_permissions(place.at("a"), fs::Permissions::from_mode(old)).unwrap();
            let mut files = WriteSet::new(true);
            files.add(place.at("a"), b"new".to_vec(), mode);
            files.write(&mut captured(false, false).0).unwrap();
            let found = fs::metadata(place.at("a")).unwrap().mode() & 0o7777;
            assert_eq!(
                (format!("{found:o}"), place.text("a")),
                (format!("{new:o}"), "new".to_owned()),
                "{mode:?} {old:o}"
            );
            fs::remove_file(place.at("a")).unwrap();
        }
    }

    #[test]
    fn permissions_of_a_group_that_cannot_be_given_are_not_given() {
        let place = Place::new();
        // Nobody but root gives a file to a group that is not theirs; root gives it to any.
        let foreign = fs::metadata("/").unwrap().gid();
        for (old, is_secret, with, without) in
            [(0o640, true, 0o640, 0o600), (0o664, false, 0o664, 0o644), (0o640, false, 0o640, 0o600)]
        {
            let file = tempfile::NamedTempFile::new_in(place.folder.path()).unwrap();
            let owner = file.as_file().metadata().unwrap().uid();
            Replaced::of(owner, foreign, old).hand_on(file.as_file(), is_secret).unwrap();
            let about = file.as_file().metadata().unwrap();
            let wanted = if about.gid() == foreign { with } else { without };
            assert_eq!(about.mode() & 0o7777, wanted);
        }
    }

    #[test]
    fn a_folder_that_takes_nothing_is_told_before_anything_is_made() {
        let place = Place::new();
        let check = |path: &Path| WriteSet::check([path], false, &captured(false, false).0);
        check(&place.at("a")).unwrap();
        assert!(place.listing().is_empty());
        // A folder in which not even root makes a file.
        assert!(check(Path::new("/sys/a")).is_err());
    }

    #[test]
    fn a_link_to_a_folder_is_a_folder() {
        let place = Place::new();
        fs::create_dir(place.at("d")).unwrap();
        symlink("d", place.at("a")).unwrap();
        assert!(place.refusal(&["a"], true).ends_with("it is a folder"));
    }

    #[test]
    fn a_device_is_written_to_and_never_replaced() {
        let place = Place::new();
        for force in [false, true] {
            let mut files = WriteSet::new(force);
            files.add("/dev/null", b"x".to_vec(), Mode::Secret);
            files.write(&mut captured(false, false).0).unwrap();
            assert!(is_stream(&fs::symlink_metadata("/dev/null").unwrap()));
        }
        assert!(place.refusal(&["/dev/no-such-device"], true).ends_with("no such file"));
    }

    #[test]
    fn a_full_device_takes_the_pair_back() {
        let place = Place::new();
        fs::write(place.at("a"), "old").unwrap();
        let mut files = WriteSet::new(true);
        files.add(place.at("a"), b"new".to_vec(), Mode::Secret);
        files.add("/dev/full", b"x".to_vec(), Mode::Public);
        let error = files.write(&mut captured(false, false).0).unwrap_err();
        assert_eq!(format!("{error:#}"), "cannot write /dev/full: no space left on the disk");
        assert_eq!((place.listing(), place.text("a")), (vec!["a".to_owned()], "old".to_owned()));
    }
}
