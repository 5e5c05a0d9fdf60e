#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::ca::ledger::{Action, SqliteLedger};
use crate::issue::{Naming, Wanted};
use crate::key::KeyAlgorithm;
use time::Duration;
use time::macros::datetime;

pub(in crate::ca) const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

/// A CA in a folder of its own.
pub(in crate::ca) struct Fixture {
    pub(in crate::ca) folder: tempfile::TempDir,
    pub(in crate::ca) authority: Authority,
    pub(in crate::ca) key: PrivateKey,
}

impl Fixture {
    /// A CA that is valid for ten days around `NOW`.
    pub(in crate::ca) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let profile = Profile::built_in("root-ca").unwrap();
        let request = naming(&profile, "Test CA").request(key.public_key().clone());
        let validity = Validity { not_before: NOW - Duration::days(5), not_after: NOW + Duration::days(5) };
        let order = Order { profile: &profile, request: &request, validity };
        let ledger = Box::new(SqliteLedger::create(&folder.path().join("ledger.db")).unwrap());
        let authority = Authority::init(&order, &key, &mut counting(1), ledger, &act(Action::Init)).unwrap();
        Self { folder, authority, key }
    }

    pub(in crate::ca) fn ledger(&self) -> Box<SqliteLedger> {
        Box::new(SqliteLedger::open(&self.folder.path().join("ledger.db")).unwrap())
    }

    pub(in crate::ca) fn issue(&mut self, days: i64, serials: &mut Draw<'_>) -> Result<Issued, AuthorityError> {
        let profile = Profile::built_in("server").unwrap();
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let request = naming(&profile, "api.test").request(key.public_key().clone());
        let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(days) };
        let order = Order { profile: &profile, request: &request, validity };
        self.authority.unlock(&self.key, NOW)?.issue(&order, serials, &act(Action::Issue))
    }
}

pub(in crate::ca) fn naming(profile: &Profile, common_name: &str) -> Naming {
    Naming::new(profile, Wanted { common_name: Some(common_name), ..Wanted::default() }).unwrap()
}

pub(in crate::ca) fn act(what: Action) -> Act {
    Act { at: NOW, who: "ann".into(), what }
}

pub(in crate::ca) fn serial(number: u8) -> SerialNumber {
    SerialNumber::from_content(&[number])
}

/// Serial numbers one after the other.
pub(in crate::ca) fn counting(from: u8) -> impl FnMut() -> Result<SerialNumber, KeyError> {
    let mut numbers = from..;
    move || Ok(serial(numbers.next().unwrap()))
}

#[test]
fn what_is_issued_is_recorded_and_signed_by_the_authority() {
    let mut fixture = Fixture::new();
    let issued = fixture.issue(3, &mut counting(9)).unwrap();
    assert_eq!(issued.clamped, None);
    issued.certificate.verify_signature(fixture.key.public_key()).unwrap();
    let mut reopened = Authority::open(fixture.authority.certificate().clone(), fixture.ledger()).unwrap();
    let record = reopened.find(&Query::default()).unwrap().pop().unwrap();
    assert_eq!(reopened.recorded(record.id).unwrap(), issued.certificate);
    assert_eq!(reopened.count().unwrap(), 1);
}

#[test]
fn a_certificate_never_outlives_its_issuer() {
    let mut fixture = Fixture::new();
    let issued = fixture.issue(90, &mut counting(9)).unwrap();
    assert_eq!(issued.certificate.validity().not_after, fixture.authority.certificate().validity().not_after);
    assert_eq!(issued.clamped, Some(NOW + Duration::days(90)));
}

#[test]
fn a_taken_serial_number_is_drawn_again() {
    let mut fixture = Fixture::new();
    assert_eq!(*fixture.issue(3, &mut counting(9)).unwrap().certificate.serial(), serial(9));
    let mut drawn = 0;
    let mut again = || {
        drawn += 1;
        Ok(serial([1, 9, 10][drawn - 1]))
    };
    assert_eq!(*fixture.issue(3, &mut again).unwrap().certificate.serial(), serial(10));
    assert_eq!(drawn, 3, "1 is the authority's own, 9 the first certificate's");
}

#[test]
fn broken_randomness_ends_in_an_error_not_in_a_loop() {
    let mut fixture = Fixture::new();
    let mut drawn = 0;
    let mut stuck = || {
        drawn += 1;
        Ok(serial(1))
    };
    assert!(matches!(fixture.issue(3, &mut stuck), Err(AuthorityError::NoSerial { draws: 8 })));
    assert_eq!((drawn, fixture.authority.count().unwrap()), (8, 0));
}

#[test]
fn nothing_is_signed_outside_the_authoritys_own_time() {
    let mut fixture = Fixture::new();
    let Fixture { authority, key, .. } = &mut fixture;
    let late = authority.unlock(key, NOW + Duration::days(6)).unwrap_err();
    assert!(matches!(late, AuthorityError::Issue(IssueError::IssuerExpired { .. })), "{late}");
    let early = authority.unlock(key, NOW - Duration::days(6)).unwrap_err();
    assert!(matches!(early, AuthorityError::Issue(IssueError::IssuerNotYetValid { .. })), "{early}");
    assert!(authority.unlock(key, NOW + Duration::days(5)).is_ok(), "the last second counts");
}

#[test]
fn another_key_signs_nothing() {
    let mut fixture = Fixture::new();
    let other = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let refused = fixture.authority.unlock(&other, NOW).unwrap_err();
    assert!(matches!(refused, AuthorityError::Issue(IssueError::WrongKey { .. })), "{refused}");
}

#[test]
fn a_ledger_of_another_authority_is_refused() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let opened = Authority::open(one.authority.certificate().clone(), other.ledger());
    assert!(matches!(opened, Err(AuthorityError::Unknown { .. })));
}

#[test]
fn a_server_certificate_is_no_authority() {
    let fixture = Fixture::new();
    let profile = Profile::built_in("self-signed").unwrap();
    let request = naming(&profile, "api.test").request(fixture.key.public_key().clone());
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(1) };
    let order = Order { profile: &profile, request: &request, validity };
    let made = Authority::init(&order, &fixture.key, &mut counting(2), fixture.ledger(), &act(Action::Init));
    assert!(matches!(made, Err(AuthorityError::NoAuthorityProfile { .. })));

    let leaf = issue::issue(&profile, &request, &Issuer::SelfSigned(&fixture.key), &serial(7), validity).unwrap();
    fixture.ledger().add_authority(&leaf, "self-signed", &act(Action::Init)).unwrap();
    let mut posing = Authority::open(leaf, fixture.ledger()).unwrap();
    let refused = posing.unlock(&fixture.key, NOW).unwrap_err();
    assert!(matches!(refused, AuthorityError::Issue(IssueError::NotAnAuthority { .. })), "{refused}");
}

#[test]
fn no_authority_is_issued_like_a_server() {
    let mut fixture = Fixture::new();
    let profile = Profile::built_in("intermediate-ca").unwrap();
    let request = naming(&profile, "Sub CA").request(fixture.key.public_key().clone());
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(1) };
    let order = Order { profile: &profile, request: &request, validity };
    let Fixture { authority, key, .. } = &mut fixture;
    let refused = authority.unlock(key, NOW).unwrap().issue(&order, &mut counting(9), &act(Action::Issue));
    assert!(matches!(refused, Err(AuthorityError::AuthorityProfile { .. })));
}

#[test]
fn a_request_for_the_authoritys_own_key_is_refused() {
    let mut fixture = Fixture::new();
    let profile = Profile::built_in("server").unwrap();
    let naming = naming(&profile, "api.test");
    let request = issue::certification_request(&profile, &naming.subject, &naming.names, &fixture.key).unwrap();
    let petition = crate::ca::petition::read(&request, &profile, &[]).unwrap();
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(1) };
    let Fixture { authority, key, .. } = &mut fixture;
    let answer = authority.unlock(key, NOW).unwrap().sign(&petition, validity, &mut counting(9), &act(Action::Sign));
    assert_eq!(answer.unwrap().unwrap_err(), Refusal::AuthoritysOwnKey);
    assert_eq!(fixture.authority.count().unwrap(), 0);
}
