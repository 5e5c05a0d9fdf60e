//! What a new file takes over from the one whose place it takes: where links lead, who may read it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cli::output::shown;
use crate::cli::problem::{Hinted, plain};
#[cfg(target_os = "linux")]
use crate::cli::text::for_shell;

/// The file that a link leads to.
///
/// # Errors
/// When it leads nowhere or back to itself, and where the system follows it for nobody (`fs.protected_symlinks`).
pub(super) fn led_to(link: &Path) -> anyhow::Result<PathBuf> {
    // As an open would follow it: `canonicalize` passes over what the kernel holds against links in shared folders.
    match fs::metadata(link).and_then(|_| fs::canonicalize(link)) {
        Ok(target) => Ok(target),
        Err(error) => {
            let target = fs::read_link(link).map(|target| shown(&target)).unwrap_or_default();
            let error = match error.kind() {
                io::ErrorKind::NotFound => anyhow!("it is a link to {target}, and there is no such file"),
                io::ErrorKind::PermissionDenied => plain(error).context(format!("it is a link to {target}")),
                _ => anyhow!("it is a link to {target}, which leads to no file"),
            };
            Err(error).hint("remove the link, or have it lead to a file")
        }
    }
}

/// Whether the system lets another file take the place of this one, as far as it tells beforehand: what is signed and recorded
/// by then would never be written.
///
/// # Errors
/// When it is mounted by itself (EBUSY), immutable or append-only, or another user's in a folder where each has their own (EPERM).
#[cfg(target_os = "linux")]
pub(super) fn gives_way(path: &Path) -> anyhow::Result<()> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    // Where the system does not say, only trying tells.
    let Ok(about) = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS) else { return Ok(()) };
    let has = |attribute| about.stx_attributes.contains(attribute);
    if has(StatxAttributes::MOUNT_ROOT) {
        return Err(anyhow!("it is mounted by itself, and no other file can take its place"))
            .hint("mount its folder instead of the file, or have it written elsewhere");
    }
    for (attribute, what, flag) in
        [(StatxAttributes::IMMUTABLE, "immutable", 'i'), (StatxAttributes::APPEND, "append-only", 'a')]
    {
        if has(attribute) {
            return Err(anyhow!("it is {what}, and no other file can take its place")).hint(format!(
                "lift that with chattr -{flag} {}, or have it written elsewhere",
                for_shell(&shown(path))
            ));
        }
    }
    let folder = super::folder_of(path);
    let Ok(around) = statx(CWD, folder, AtFlags::empty(), StatxFlags::BASIC_STATS) else { return Ok(()) };
    let user = rustix::process::geteuid();
    let is_sticky = around.stx_mode & STICKY != 0;
    if is_sticky && !user.is_root() && ![about.stx_uid, around.stx_uid].contains(&user.as_raw()) {
        return Err(anyhow!("it is another user's, and in {} each has their own files", shown(folder)))
            .hint("run this as that user, or have it written elsewhere");
    }
    Ok(())
}

/// Here only trying tells.
#[cfg(not(target_os = "linux"))]
pub(super) fn gives_way(_: &Path) -> anyhow::Result<()> {
    Ok(())
}

/// The mode of a folder in which only a file's owner and the folder's remove it (S_ISVTX).
#[cfg(target_os = "linux")]
const STICKY: u16 = 0o1000;

/// A file that will be replaced: who owned it, and who might do what with it.
#[derive(Debug)]
pub(super) struct Replaced {
    #[cfg(unix)]
    owner: u32,
    #[cfg(unix)]
    group: u32,
    #[cfg(unix)]
    mode: u32,
}

#[cfg(unix)]
impl Replaced {
    /// The file that is there, if there is one.
    pub(super) fn at(path: &Path) -> io::Result<Option<Self>> {
        use std::os::unix::fs::MetadataExt;
        match fs::symlink_metadata(path) {
            Ok(about) => Ok(Some(Self { owner: about.uid(), group: about.gid(), mode: about.mode() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    #[cfg(test)]
    pub(super) fn of(owner: u32, group: u32, mode: u32) -> Self {
        Self { owner, group, mode }
    }

    /// Gives owner, group and permissions to the new file, which has been its owner's alone so far. It is never executable,
    /// and nobody may do with it what the old one's owner had not allowed: the permissions of a group that cannot be given
    /// are not given to another; where everybody might read the old file, it was no secret and says nothing about one.
    pub(super) fn hand_on(&self, new: &File, is_secret: bool) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
        let about = new.metadata()?;
        // Only root gives a file to another user; anybody gives one to a group of their own.
        if about.uid() != self.owner {
            _ = fchown(new, Some(self.owner), Some(self.group));
        }
        let has_group = new.metadata()?.gid() == self.group || fchown(new, None, Some(self.group)).is_ok();
        let everybodys = self.mode & 0o006;
        let mut mode = self.mode & 0o666;
        if is_secret && everybodys != 0 {
            mode = 0o600;
        }
        if !has_group {
            mode &= 0o606 | everybodys << 3;
        }
        new.set_permissions(fs::Permissions::from_mode(mode))
    }
}

#[cfg(not(unix))]
impl Replaced {
    /// Who may read a file is not said by a mode here.
    pub(super) fn at(_: &Path) -> io::Result<Option<Self>> {
        Ok(None)
    }

    /// Nothing.
    pub(super) fn hand_on(&self, _: &File, _: bool) -> io::Result<()> {
        Ok(())
    }
}
