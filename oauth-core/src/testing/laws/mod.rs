//! What every store must do, as a list that is run against each.

mod clients;
mod codes;
mod interactions;
mod keys;
mod marks;
mod refresh;
mod revocation;
mod sessions;
mod sweep;
mod users;

pub use users::{profile, profile_laws, user_laws};

use super::fixtures::{access, authorization, code, refresh};
use crate::{
    model::{Committed, Consume, Issuance, Parent, Timestamp},
    ports::{ClientStore, GrantStore, KeyStore},
};
use std::{pin::Pin, sync::Arc};

/// What the laws are about.
pub trait LawfulStore: ClientStore + GrantStore + KeyStore {}

impl<S: ClientStore + GrantStore + KeyStore + ?Sized> LawfulStore for S {}

type Law = fn(Arc<dyn LawfulStore>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// `laws![module: one, two]` is a list of names and boxed functions.
macro_rules! laws {
    ($($module:ident: $($law:ident),+;)+) => {
        &[$($(
            (concat!(stringify!($module), "::", stringify!($law)), |store| Box::pin($module::$law(store))),
        )+)+]
    };
}

const LAWS: &[(&str, Law)] = laws![
    clients: what_was_inserted_is_found, an_id_is_taken_once, only_a_known_client_is_replaced,
        what_was_decided_about_another_registration_is_not_written,
        a_replacement_does_not_let_a_kept_client_expire,
        clients_of_an_owner_come_oldest_first, removal_takes_everything_issued,
        all_a_client_says_is_found, a_client_that_is_kept_does_not_expire,
        an_expired_client_is_swept_with_everything_issued;
    codes: what_was_committed_is_found, what_was_issued_is_found,
        children_inherit_from_their_authorization, a_code_works_once, a_replay_revokes_the_authorization,
        an_expired_code_does_not_work, a_code_works_for_its_own_authorization_only,
        a_revoked_authorization_stops_a_code, a_failed_write_uses_nothing_up,
        tokens_of_a_client_need_no_authorization;
    interactions: an_interaction_works_once, an_expired_interaction_does_not_work,
        consents_are_merged;
    refresh: a_refresh_token_rotates, a_lost_answer_is_given_again,
        a_late_replay_revokes_the_family, a_replay_after_the_successor_was_used_revokes_the_family,
        a_revoked_successor_is_not_given_again, an_access_token_is_not_a_refresh_token,
        a_dead_refresh_token_does_not_work;
    revocation: the_first_revocation_counts, one_token_can_be_revoked,
        a_user_can_be_revoked_whole, a_user_can_be_revoked_for_one_client,
        what_was_begun_before_it_is_not_written,
        authorizations_are_listed_while_something_lives;
    sessions: whoever_took_part_is_told, a_session_ends_once, only_openid_clients_with_a_session_take_part,
        the_later_end_of_participation_counts, what_is_meant_for_absence_outlives_the_session,
        a_notice_is_taken_once, a_notice_is_tried_again_and_settled, notices_come_in_order_and_number,
        participants_and_notices_are_swept, a_removed_client_is_not_told;
    marks: a_mark_is_set_once, a_mark_ends, marks_of_different_kinds_do_not_meet;
    keys: keys_come_in_order, a_sequence_number_is_taken_once, the_first_withdrawal_counts;
    sweep: the_expired_goes_and_the_rest_stays, a_used_credential_stays_until_it_expires,
        a_sweep_is_bounded, a_revocation_is_known_for_a_day;
];

/// Runs every law against a fresh, empty store each. Beside the store, `make` gives what must live as long.
///
/// # Panics
/// When a law is broken; the name of the law is printed before.
pub async fn store_laws<S, K, F>(make: F)
where
    S: LawfulStore + 'static,
    F: AsyncFn() -> (S, K),
{
    for (name, law) in LAWS {
        let (store, _kept) = make().await;
        let store: Arc<dyn LawfulStore> = Arc::new(store);
        let named = Named(name);
        law(store).await;
        named.holds();
    }
}

/// Says which law it was when a panic passes.
struct Named(&'static str);

impl Named {
    fn holds(self) {
        std::mem::forget(self);
    }
}

impl Drop for Named {
    #[expect(clippy::print_stderr, reason = "a test says which law is broken")]
    fn drop(&mut self) {
        eprintln!("the store breaks the law {}", self.0);
    }
}

/// An issuance that writes nothing yet.
fn nothing(at: Timestamp) -> Issuance {
    Issuance {
        consume: Consume::Nothing,
        parent: Parent::None,
        code: None,
        tokens: Vec::new(),
        consent: None,
        at,
    }
}

async fn done(store: &dyn LawfulStore, issuance: Issuance) {
    let committed = store.commit(issuance).await.expect("the store answers");
    assert_eq!(committed, Committed::Done);
}

/// Writes an authorization with a code, both called `name`.
async fn give_code(store: &dyn LawfulStore, name: &str, at: Timestamp) {
    let parent = Parent::New(authorization(name));
    done(store, Issuance { parent, code: Some(code(name)), ..nothing(at) }).await;
}

/// Writes an authorization with a refresh token, both called `name`.
async fn give_refresh(store: &dyn LawfulStore, name: &str, at: Timestamp) {
    let parent = Parent::New(authorization(name));
    done(store, Issuance { parent, tokens: vec![refresh(name)], ..nothing(at) }).await;
}

/// Redeems the code `name` for an access token called `issued`.
fn redeem(name: &str, issued: &str, at: Timestamp) -> Issuance {
    Issuance {
        consume: Consume::Code(super::fixtures::hash(name)),
        parent: Parent::Existing(authorization(name).id),
        tokens: vec![access(issued)],
        ..nothing(at)
    }
}

/// Rotates the refresh token `old` of the authorization `family` into `new`, repeatable for ten seconds.
fn rotate(family: &str, old: &str, new: &str, at: Timestamp) -> Issuance {
    use super::fixtures::hash;
    Issuance {
        consume: Consume::Refresh {
            token: hash(old),
            response: format!("response with {new}").into_bytes(),
            successor: hash(new),
            retry_since: at.minus(std::time::Duration::from_secs(10)),
        },
        parent: Parent::Existing(authorization(family).id),
        tokens: vec![refresh(new)],
        ..nothing(at)
    }
}
