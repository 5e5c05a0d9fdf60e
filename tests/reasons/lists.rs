//! Revocation lists that cannot be relied on, each for one reason.

use certkit::encoding::der;
use certkit::key::{HashAlgorithm, KeyAlgorithm, PrivateKey, SignatureAlgorithm};
use certkit::verify::CheckRevocation;
use certkit::x509::extension::{
    AuthorityKeyIdentifier, CrlDistributionPoints, CrlNumber, DistributionPoint, IssuingDistributionPoint, KeyUsage,
    KeyUsageBit,
};
use certkit::x509::{Extension, GeneralName, oids, time as x509_time};
use time::Duration;

use super::ListKind;
use crate::support::case::{Case, HOST, namesakes};
use crate::support::forge::{Forge, Hierarchy, Issuer, NOON};
use crate::support::forge_crl::{Entry, ForgeCrl};
use crate::support::scene::list_signer;

/// A sound chain with a list that is refused for this.
pub(super) fn breaking(kind: ListKind, hierarchy: &Hierarchy) -> Case {
    let listed = |change: &dyn Fn(&mut ForgeCrl)| Case::listed(hierarchy, change);
    let own = &hierarchy.intermediate;
    let stranger = || PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    match kind {
        ListKind::NotYet => listed(&|list| *list = list.clone().dated(1, 9)),
        ListKind::Stale => listed(&|list| *list = list.clone().dated(-9, -1)),
        ListKind::Signature => Case { lists: vec![ForgeCrl::of(own).sign(&stranger())], ..Case::sound(hierarchy) },
        ListKind::SignerNotFound => {
            let delegated = Delegated::new(hierarchy, &hierarchy.root, &|_| ());
            Case { intermediates: vec![own.certificate.clone()], ..delegated.case() }
        }
        ListKind::NoCrlSign => {
            let sign_only = KeyUsage::new(&[KeyUsageBit::KeyCertSign]);
            let case = Case::with_intermediate(hierarchy, &|forge| forge.set(&sign_only, true));
            Case { lists: vec![ForgeCrl::of(own).sign(&own.key)], ..case }
        }
        ListKind::SignerPath => {
            let past = x509_time::encode(NOON - Duration::DAY);
            Delegated::new(hierarchy, &hierarchy.root, &|forge| forge.validity[1] = past.clone()).case()
        }
        ListKind::SignerRevoked => {
            let delegated = Delegated::new(hierarchy, &hierarchy.root, &|_| ());
            let revoking = ForgeCrl::of(&hierarchy.root).revoking(&delegated.signer.certificate, None);
            delegated.case().with_list(&revoking, &hierarchy.root)
        }
        ListKind::SignerUnknown => {
            let key = stranger();
            let other = Forge::intermediate("Other Intermediate", &key, &hierarchy.root).sign(&hierarchy.root.key);
            let other = Issuer { certificate: other, key };
            let mut case = Delegated::new(hierarchy, &other, &|_| ()).case();
            case.intermediates.push(other.certificate);
            case.check_revocation = CheckRevocation::Chain;
            case.with_list(&ForgeCrl::of(&hierarchy.root), &hierarchy.root)
        }
        ListKind::AlgorithmsDiffer => {
            let other = SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha384).to_algorithm_identifier();
            listed(&|list| list.inner_algorithm = Some(other.clone()))
        }
        ListKind::WeakHash => {
            let sha1 = SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha1).to_algorithm_identifier();
            listed(&|list| list.claimed_algorithm = Some(sha1.clone()))
        }
        ListKind::UnknownCritical => listed(&|list| list.extensions.push(unknown(true))),
        ListKind::UnknownCriticalInEntry => listed(&|list| {
            list.entries.push(Entry { extensions: vec![unknown(true)], ..Entry::new(&[1], None) });
        }),
        ListKind::Duplicate => listed(&|list| list.extensions.extend([unknown(false), unknown(false)])),
        ListKind::Extension => listed(&|list| {
            list.extensions.push(Extension { oid: oids::FRESHEST_CRL, critical: false, value: vec![0x30, 0x05] });
        }),
        ListKind::NoBase => listed(&|list| *list = list.clone().numbered(9).since(5)),
        // Many that may have signed it, and none did.
        ListKind::GaveUp => {
            let mut delegated = Delegated::new(hierarchy, &hierarchy.root, &|_| ());
            delegated.signer.key = stranger();
            let mut case = delegated.case();
            case.intermediates.extend(namesakes("Lists", hierarchy));
            case
        }
        ListKind::Form => listed(&|list| list.remove::<CrlNumber>()),
        ListKind::Profile => listed(&|list| list.remove::<AuthorityKeyIdentifier>()),
    }
}

impl Case {
    fn with_list(mut self, list: &ForgeCrl, issuer: &Issuer) -> Self {
        self.lists.push(list.sign(&issuer.key));
        self
    }
}

fn unknown(critical: bool) -> Extension {
    Extension { oid: "1.2.3.4".parse().unwrap(), critical, value: der::null() }
}

/// A leaf whose revocation somebody else tells, and that one's list.
struct Delegated<'h> {
    hierarchy: &'h Hierarchy,
    signer: Issuer,
}

impl<'h> Delegated<'h> {
    /// The signer's certificate is from `issuer`.
    fn new(hierarchy: &'h Hierarchy, issuer: &Issuer, change: &dyn Fn(&mut Forge)) -> Self {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let mut forge = list_signer("Lists", &key, issuer);
        change(&mut forge);
        Self { hierarchy, signer: Issuer { certificate: forge.sign(&issuer.key), key } }
    }

    fn case(&self) -> Case {
        let Self { hierarchy, signer } = self;
        let named = Some(vec![GeneralName::Directory(signer.certificate.subject().clone())]);
        let point = DistributionPoint { name: None, reasons: None, crl_issuer: named };
        let mut leaf = hierarchy.server(HOST);
        leaf.set(&CrlDistributionPoints(vec![point]), false);
        let scope = IssuingDistributionPoint { indirect: true, ..IssuingDistributionPoint::default() };
        let mut case = Case::of(leaf.sign(&hierarchy.intermediate.key), hierarchy);
        case.intermediates.push(signer.certificate.clone());
        case.with_list(&ForgeCrl::of(signer).scoped(&scope), signer)
    }
}
