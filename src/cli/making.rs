//! What the commands that make certificates and requests have in common: names, a key, a
//! profile, a lifetime, and where to write.

mod key;
mod lifetime;
mod names;
mod outputs;
mod profile;

pub(super) use self::key::{KeyArgs, SubjectKey};
pub(super) use self::lifetime::{LifetimeArgs, fresh_serial};
pub(super) use self::names::{NameArgs, split as split_names};
pub(super) use self::outputs::{Outputs, beside};
pub(super) use self::profile::{load as load_profile, load_beside as load_profile_beside};
