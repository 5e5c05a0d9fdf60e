//! The only place that reads and writes files for a command.
//!
//! - [`read`]: a whole file, or stdin for `-`; bounded, wiped after use.
//! - [`open`]: a file too large for that, to be read as it comes.
//! - [`WriteSet`]: all of several files or none of them; a key is 0600 from its first byte; nothing is replaced without
//!   `--force`.
//! - [`add_to_secret`]: a file for its owner alone that grows line by line.
//! - [`spare_keys`], [`spare_input`]: what `--force` does not replace.
//! - [`must_arrive`], [`is_handed_over`]: whether what is written reaches somebody, and lies anywhere.
//! - [`might_write`]: whether a file could be written, asked without a trace.
//! - [`permissions`]: who may do what with a file.
//! - [`stamp`]: whether a file is still the one that was read.
//! - [`Reminder`]: that something is still to be done with a file.
//! - [`Destination`]: many files at a time, into one folder.
//! - [`each_file_below`], [`each_line_of_stdin`], [`Lines`]: many inputs, one after the other.
//! - [`make_private_folder`]: a folder for its owner alone.
//! - [`Claim`]: a folder in which one process at a time makes something.
//! - [`Turn`]: a folder into which one process at a time writes a batch, or what a project asks for.
//! - [`resolved`]: which file a path names, however it is spelled.
//! - [`file_name_for`]: a certificate's name as a name no file system minds.

mod access;
mod arrival;
mod claim;
mod folder;
mod growing;
mod many;
mod name;
mod read;
mod reminder;
mod replaced;
mod resolved;
mod spared;
mod staged;
mod staging;
mod stamp;
mod stream;
mod turn;
mod writable;
mod write;

pub use self::access::{folder_is_open, permissions};
pub use self::arrival::{Leads, is_handed_over, must_arrive};
pub use self::claim::Claim;
pub use self::folder::{make_folder, make_private_folder, may_be_folder, may_have_folder};
pub use self::growing::add_to_secret;
pub use self::many::{Lines, each_file_below, each_line_of_stdin};
pub use self::name::file_name_for;
pub use self::read::{READ_LIMIT, is_for_its_owner_alone, read, read_text, read_text_if_there};
pub use self::reminder::Reminder;
pub use self::resolved::resolved;
pub use self::spared::{spare_input, spare_keys};
pub use self::staging::{Abandoned, Destination, Leftovers, Staged, lasts};
pub use self::stamp::{Stamp, stamp};
pub use self::stream::{Stream, open};
pub use self::turn::Turn;
pub use self::writable::{might_make, might_write};
pub use self::write::{Mode, WriteSet, folder_of, same_place};

use std::path::Path;

/// Whether a path means stdin or stdout.
pub fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}
