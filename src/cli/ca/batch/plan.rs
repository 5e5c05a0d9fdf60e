//! From a line of the list to what is to be made.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use crate::ca::Press;
use crate::cli::ca::own_files::OutOfBounds;
use crate::cli::files::{Destination, file_name_for, spare_keys};
use crate::cli::making::{LifetimeArgs, load_profile};
use crate::issue::Naming;
use crate::key::KeyAlgorithm;
use crate::profile::Profile;
use crate::project::{Wish, WishError};
use crate::x509::Validity;

/// What holds for lines that say nothing else.
#[derive(Debug, Clone)]
pub(in crate::cli::ca) struct Standard {
    pub(in crate::cli::ca) profile: Arc<Profile>,
    pub(in crate::cli::ca) lifetime: LifetimeArgs,
    pub(in crate::cli::ca) key: Option<KeyAlgorithm>,
    /// The moment at which all of the batch begins.
    pub(in crate::cli::ca) now: OffsetDateTime,
}

/// A certificate to be made.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) line: u64,
    pub(super) naming: Naming,
    pub(super) profile: Arc<Profile>,
    pub(super) validity: Validity,
    pub(super) key: KeyAlgorithm,
    /// What its files are called, without an ending.
    pub(super) stem: String,
}

/// A certificate to be made, or the line and why it cannot be.
pub(super) type Planned = Result<Box<Order>, (u64, String)>;

/// Turns wishes into orders, and remembers which files they take.
#[derive(Clone)]
pub(super) struct Planner<'a> {
    standard: Standard,
    press: &'a Press<'a>,
    destination: &'a Destination,
    /// The files of the CA, and the folder by which to find them.
    kept: &'a OutOfBounds,
    folder: PathBuf,
    profiles: HashMap<String, Result<Arc<Profile>, String>>,
    /// The hashes of the names of files: a million names would take more room than a million certificates need.
    stems: HashSet<(u64, u64)>,
    hashers: (RandomState, RandomState),
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        standard: Standard,
        press: &'a Press<'a>,
        destination: &'a Destination,
        kept: &'a OutOfBounds,
        folder: PathBuf,
    ) -> Self {
        let hashers = (RandomState::new(), RandomState::new());
        Self { standard, press, destination, kept, folder, profiles: HashMap::new(), stems: HashSet::new(), hashers }
    }

    /// What is to be made of a wish; every reason known beforehand why it cannot be is found here.
    pub(super) fn plan(&mut self, wish: Result<Wish, WishError>) -> Planned {
        let wish = wish.map_err(|WishError { line, why }| (line, why))?;
        let line = wish.line;
        self.order(&wish).map(Box::new).map_err(|error| (line, error))
    }

    fn order(&mut self, wish: &Wish) -> Result<Order, String> {
        let profile = match &wish.profile {
            None => Arc::clone(&self.standard.profile),
            Some(name) => self.profile(name)?,
        };
        let naming = wish.naming(&profile).map_err(|error| error.to_string())?;
        let validity = match wish.days {
            None => {
                self.standard.lifetime.validity(&profile, self.standard.now).map_err(|error| format!("{error:#}"))?
            }
            Some(days) => profile
                .validity(self.standard.now, Some(Duration::days(days.into())))
                .ok_or("it would be valid past the year 9999")?,
        };
        let key = wish.key.or(self.standard.key).unwrap_or(profile.key);
        self.press.would_make(&profile, &naming, key, validity).map_err(|error| error.to_string())?;
        let stem = match &wish.out {
            None => file_name_for(&naming.label()).map_err(|error| format!("{error:#}"))?,
            Some(out) => match file_name_for(out) {
                Ok(stem) if stem == *out => stem,
                _ => return Err(format!("{out:?} is no name for files: give one without a folder and an ending")),
            },
        };
        // The key of `a` and the certificate of `a-key` would be one file.
        let [own, certificate_of] = [stem.clone(), format!("{stem}-key")].map(|stem| self.hashes(&stem));
        let key_of = stem.strip_suffix("-key").map(|stem| self.hashes(stem));
        let taken = self.stems.contains(&certificate_of) || key_of.is_some_and(|key| self.stems.contains(&key));
        if taken || !self.stems.insert(own) {
            return Err(format!("another line is written to {stem}.pem: give it another name, in the column out"));
        }
        for name in [format!("{stem}.pem"), format!("{stem}-key.pem")] {
            let path = self.destination.path(&name);
            if let Some(what) = self.kept.what(&self.folder, &name) {
                return Err(format!("{} is {what}, and certkit never writes over that", path.display()));
            }
            if self.destination.is_taken(&name) {
                return Err(format!("{} exists already, --force replaces it", path.display()));
            }
        }
        spare_keys([self.destination.path(&format!("{stem}.pem")).as_path()]).map_err(|error| format!("{error:#}"))?;
        Ok(Order { line: wish.line, naming, profile, validity, key, stem })
    }

    fn hashes(&self, stem: &str) -> (u64, u64) {
        (self.hashers.0.hash_one(stem), self.hashers.1.hash_one(stem))
    }

    fn profile(&mut self, name: &str) -> Result<Arc<Profile>, String> {
        if let Some(known) = self.profiles.get(name) {
            return known.clone();
        }
        let loaded = load_profile(name).map(Arc::new).map_err(|error| format!("{error:#}"));
        self.profiles.insert(name.to_owned(), loaded.clone());
        loaded
    }
}
