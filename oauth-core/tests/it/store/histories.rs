//! Random histories: whatever is done to the stores on a database and to the one in memory, in the same
//! order, they answer the same.

use oauth_core::{
    memory::MemoryStore,
    model::{
        Client, ClientId, Consent, Consume, Epoch, HashedToken, Issuance, NewAuthorization,
        NewCode, NewToken, Parent, PendingAuthorization, Timestamp, TokenKind, UserId,
    },
    testing::{LawfulStore, SeededRandom, TestDatabase, fixtures::*},
};
use std::{collections::BTreeMap, time::Duration};

const SEEDS: u64 = 8;
const STEPS: u64 = 250;
const FAMILIES: usize = 4;

/// Something that is done.
enum Deed {
    Commit(Issuance),
    InsertClient(Client),
    RemoveClient(ClientId),
    KeepClient(ClientId),
    EndSession(String),
    TellDue(u64, Option<Timestamp>),
    Revoke(String),
    RevokeToken(HashedToken),
    RevokeUser(UserId, Option<ClientId>),
    See(String, Timestamp),
    Suspend(HashedToken, PendingAuthorization),
    Sweep,
}

/// What is asked afterwards.
struct Question {
    tokens: [HashedToken; 3],
    code: HashedToken,
    interaction: HashedToken,
    user: UserId,
    mark: String,
}

/// Draws a history. It hears what succeeded, so that what comes later often fits what was before.
struct Author {
    random: SeededRandom,
    step: u64,
    families: Vec<Family>,
    interactions: Vec<HashedToken>,
    /// How often a user was revoked.
    epoch: i64,
}

/// An authorization with what hangs below it. When it is dead a new one takes its place.
#[derive(Clone, Default)]
struct Family {
    name: String,
    tokens: Vec<HashedToken>,
}

impl Author {
    fn new(seed: u64) -> Self {
        Self {
            random: SeededRandom::new(seed),
            step: 0,
            families: vec![Family::default(); FAMILIES],
            interactions: Vec::new(),
            epoch: 0,
        }
    }

    /// The newest epoch, the one before it, or none.
    fn since(&self) -> Option<Epoch> {
        let age = i64::try_from(self.step % 3).unwrap();
        (age < 2).then(|| Epoch((self.epoch - age).max(0)))
    }

    /// Hears that a commit succeeded.
    fn hear(&mut self, issuance: &Issuance) {
        if let Parent::New(new) = &issuance.parent {
            let name = format!("a{}", self.step);
            assert_eq!(new.id, authorization_id(&name));
            let next = usize::try_from(self.step).unwrap() % FAMILIES;
            self.families[next] = Family { name, tokens: Vec::new() };
        }
        let parent = match &issuance.parent {
            Parent::New(new) => new.id,
            Parent::Existing(id) => *id,
            Parent::None => return,
        };
        let refreshed = issuance.tokens.iter().filter(|t| t.kind == TokenKind::Refresh);
        let ours = self.families.iter_mut().find(|f| authorization_id(&f.name) == parent);
        if let Some(ours) = ours {
            ours.tokens.extend(refreshed.map(|t| t.hash));
        }
    }

    fn one_in(&self, chances: u64) -> bool {
        self.random.below(chances) == 0
    }

    fn now(&self) -> Timestamp {
        after(self.step / 3)
    }

    fn within(&self, seconds: u64) -> Timestamp {
        self.now().plus(Duration::from_secs(self.random.below(seconds)))
    }

    fn family(&self) -> &Family {
        let index = self.random.below(u64::try_from(FAMILIES).unwrap());
        &self.families[usize::try_from(index).unwrap()]
    }

    fn user(&self) -> UserId {
        UserId::new(format!("u{}", self.random.below(2)))
    }

    fn session(&self) -> String {
        format!("s{}", self.random.below(3))
    }

    fn client(&self) -> ClientId {
        ClientId::new(if self.one_in(6) { "d" } else { "c" })
    }

    /// One of the last few, most likely the last.
    fn late(&self, known: &[HashedToken]) -> HashedToken {
        let back = if self.one_in(3) { self.random.below(5) } else { 0 };
        let index = known.len().checked_sub(1 + usize::try_from(back).unwrap());
        index.and_then(|i| known.get(i)).copied().unwrap_or(hash("none"))
    }

    fn new_tokens(&self) -> Vec<NewToken> {
        let count = 1 + self.random.below(2);
        (0..count)
            .map(|n| {
                // Now and then a name that is taken, which fails the whole commit.
                let name = if self.one_in(40) { "t".into() } else { format!("t{} {n}", self.step) };
                let kind = if n > 0 { access(&name) } else { refresh(&name) };
                NewToken {
                    issued_at: self.now(),
                    expires_at: self.within(90),
                    login: kind.login.clone().filter(|_| !self.one_in(5)),
                    ..kind
                }
            })
            .collect()
    }

    fn issuance(&self) -> Issuance {
        let family = self.family();
        let used = if self.one_in(15) { self.family() } else { family };
        let tokens = self.new_tokens();
        let consume = match self.random.below(10) {
            0 | 1 => Consume::Nothing,
            2 => Consume::Interaction(self.late(&self.interactions)),
            3 => Consume::Code(hash(&used.name)),
            _ => Consume::Refresh {
                token: self.late(&used.tokens),
                response: self.step.to_le_bytes().to_vec(),
                successor: tokens[0].hash,
                retry_since: self.now().minus(Duration::from_secs(self.random.below(12))),
            },
        };
        let starts = matches!(consume, Consume::Nothing | Consume::Interaction(_));
        let new = format!("a{}", self.step);
        let parent = match self.random.below(15) {
            0 => Parent::None,
            1..=12 if starts => {
                let given = match self.random.below(3) {
                    0 => authorization(&new),
                    _ => openid_authorization(&new, &self.session()),
                };
                let absent = if self.one_in(3) { "openid offline_access" } else { "openid" };
                Parent::New(NewAuthorization {
                    user: self.user(),
                    scope: scope(absent),
                    participates_until: self.within(40),
                    since: self.since(),
                    ..given
                })
            }
            _ => Parent::Existing(authorization_id(&family.name)),
        };
        let code = (starts || self.one_in(20))
            .then(|| NewCode { expires_at: self.within(30), ..code(&new) });
        let consent = self.one_in(3).then(|| Consent {
            user: self.user(),
            client: self.client(),
            scope: scope(["a", "b c", "a c", ""][usize::try_from(self.random.below(4)).unwrap()]),
            at: self.now(),
        });
        Issuance { consume, parent, code, tokens, consent, at: self.now() }
    }

    fn deed(&mut self) -> Deed {
        match self.random.below(45) {
            0 => Deed::Revoke(self.family().name.clone()),
            1 => Deed::RevokeToken(self.late(&self.family().tokens)),
            2 if self.one_in(2) => {
                self.epoch += 1;
                Deed::RevokeUser(self.user(), self.one_in(2).then(|| self.client()))
            }
            3 if self.one_in(4) => Deed::RemoveClient(self.client()),
            4 => {
                let expires_at = self.one_in(2).then(|| self.within(20));
                Deed::InsertClient(Client { expires_at, ..client(self.client().as_str()) })
            }
            5 | 6 => Deed::See(format!("s{}", self.random.below(3)), self.within(20)),
            7 | 8 => Deed::Sweep,
            9 => Deed::KeepClient(self.client()),
            10 | 11 => Deed::EndSession(self.session()),
            12 | 13 => {
                let retry_at = self.one_in(2).then(|| self.within(10));
                Deed::TellDue(self.random.below(3), retry_at)
            }
            14..=18 => {
                let interaction = hash(&format!("i{}", self.step));
                self.interactions.push(interaction);
                let expires_at = self.within(30);
                Deed::Suspend(interaction, PendingAuthorization { expires_at, ..pending() })
            }
            _ => Deed::Commit(self.issuance()),
        }
    }

    fn question(&self) -> Question {
        Question {
            tokens: [(); 3].map(|()| self.late(&self.family().tokens)),
            code: hash(&self.family().name),
            interaction: self.late(&self.interactions),
            user: self.user(),
            mark: format!("s{}", self.random.below(3)),
        }
    }
}

/// The first word says what became of it.
async fn act(store: &dyn LawfulStore, deed: &Deed, at: Timestamp) -> String {
    match deed {
        Deed::Commit(issuance) => match store.commit(issuance.clone()).await {
            Ok(committed) => {
                let credential = format!("{:?}", issuance.consume);
                let kind = credential.split([' ', '(']).next().unwrap().to_owned();
                format!("{kind}{committed:?}")
            }
            Err(_) => "CommitFailed".to_owned(),
        },
        Deed::InsertClient(client) => {
            format!("Insert {:?}", store.insert_client(client.clone()).await.unwrap())
        }
        Deed::KeepClient(id) => format!("Keep {:?}", store.keep_client(id).await.unwrap()),
        Deed::EndSession(sid) => {
            let told = store.end_session(sid, at).await.unwrap();
            format!("End {} ({told:?}", told.len())
        }
        Deed::TellDue(limit, retry_at) => {
            let lease = at.plus(Duration::from_secs(3));
            let due = store.due_logouts(at, lease, *limit).await.unwrap();
            if let Some(first) = due.first() {
                store.settle_logout(first.id, *retry_at).await.unwrap();
            }
            format!("Tell {} ({due:?}", due.len())
        }
        Deed::RemoveClient(id) => format!("Remove {:?}", store.remove_client(id).await.unwrap()),
        Deed::Revoke(name) => {
            store.revoke(authorization_id(name), at).await.unwrap();
            "Revoke".to_owned()
        }
        Deed::RevokeToken(token) => {
            store.revoke_token(token, at).await.unwrap();
            "RevokeToken".to_owned()
        }
        Deed::RevokeUser(user, client) => {
            store.revoke_user(user, client.as_ref(), at).await.unwrap();
            "RevokeUser".to_owned()
        }
        Deed::See(key, until) => {
            format!("See {:?}", store.see("jti", key, *until, at).await.unwrap())
        }
        Deed::Suspend(interaction, pending) => {
            store.suspend(*interaction, pending.clone()).await.unwrap();
            "Suspend".to_owned()
        }
        Deed::Sweep => {
            store.sweep(at, 1000).await.unwrap();
            "Sweep".to_owned()
        }
    }
}

async fn ask(store: &dyn LawfulStore, question: &Question, at: Timestamp) -> String {
    let mut answers = Vec::new();
    // What has expired may be swept early or late.
    for token in &question.tokens {
        let found = store.token(token).await.unwrap().filter(|t| t.expires_at > at);
        answers.push(format!("{found:?}"));
    }
    let code = store.code(&question.code).await.unwrap().filter(|c| c.expires_at > at);
    let waiting = store.pending(&question.interaction).await.unwrap();
    let authorizations = store.authorizations(&question.user, at).await.unwrap();
    let consents = store.consents(&question.user).await.unwrap();
    answers.push(format!("{:?}", store.epoch().await.unwrap()));
    let seen = store.seen("jti", &question.mark, at).await.unwrap();
    let client = store.client(&ClientId::new("c")).await.unwrap();
    answers.push(format!("{code:?} {:?}", waiting.filter(|p| p.expires_at > at)));
    answers.push(format!("{authorizations:?} {consents:?} {seen:?} {client:?}"));
    answers.join("\n")
}

/// Plays a history on both; counts what happened, by its first word.
async fn agree(store: &dyn LawfulStore, seed: u64, happened: &mut BTreeMap<String, u64>) {
    let model = MemoryStore::new();
    let mut author = Author::new(seed);
    for step in 0..STEPS {
        author.step = step;
        let (deed, question, at) = (author.deed(), author.question(), author.now());
        let wanted = act(&model, &deed, at).await;
        assert_eq!(act(store, &deed, at).await, wanted, "seed {seed}, step {step}");
        if let Deed::Commit(issuance) = &deed
            && wanted.ends_with("Done")
        {
            author.hear(issuance);
        }
        let (found, wanted_then) =
            (ask(store, &question, at).await, ask(&model, &question, at).await);
        assert_eq!(found, wanted_then, "seed {seed}, step {step}, after {wanted}");
        let word = wanted.split('(').next().unwrap_or_default().to_owned();
        *happened.entry(word).or_default() += 1;
    }
}

/// That the histories are worth playing.
fn is_varied(happened: &BTreeMap<String, u64>) {
    for word in [
        "CodeDone",
        "End 0 ",
        "End 1 ",
        "Keep true",
        "Tell 0 ",
        "Tell 1 ",
        "CodeReplayed",
        "CodeRevoked",
        "CommitFailed",
        "InteractionDone",
        "InteractionReplayed",
        "NothingDone",
        "NothingRevoked",
        "RefreshDone",
        "RefreshRepeated",
        "RefreshReplayed",
        "RefreshRevoked",
        "See false",
        "See true",
    ] {
        assert!(happened.get(word).is_some_and(|&times| times > 3), "{word}: {happened:?}");
    }
}

#[tokio::test]
async fn sqlite_answers_as_memory_does() {
    let mut happened = BTreeMap::new();
    for seed in 0..SEEDS {
        let database = TestDatabase::sqlite().await;
        agree(&database.store(), seed, &mut happened).await;
    }
    is_varied(&happened);
}

#[tokio::test]
async fn postgres_answers_as_memory_does() {
    let mut happened = BTreeMap::new();
    for seed in 0..SEEDS {
        let database = TestDatabase::postgres().await;
        agree(&database.store(), seed, &mut happened).await;
    }
    is_varied(&happened);
}
