//! Random histories: whatever is done to the stores on a database and to the one in memory, in the same
//! order, they answer the same.

use oauth_core::{
    memory::MemoryStore,
    model::{
        ClientId, Consent, Consume, Issuance, NewAuthorization, NewCode, NewToken, Parent,
        PendingAuthorization, Timestamp, UserId,
    },
    ports::{ClientStore, GrantStore, KeyStore, Users},
    testing::{LawfulStore, SeededRandom, TestDatabase, fixtures::*},
};

const SEEDS: u64 = 8;
const STEPS: u64 = 200;
const NAMES: u64 = 8;

/// What is drawn from.
struct Dice(SeededRandom);

impl Dice {
    fn below(&self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn name(&self, kind: &str) -> String {
        format!("{kind}{}", self.below(NAMES))
    }

    fn user(&self) -> UserId {
        UserId::new(format!("u{}", self.below(2)))
    }

    fn client(&self) -> ClientId {
        ClientId::new(format!("c{}", self.below(2)))
    }

    fn scope(&self) -> String {
        ["a", "b c", "a c", ""][usize::try_from(self.below(4)).unwrap()].to_owned()
    }

    fn tokens(&self, fresh: u64, at: Timestamp) -> Vec<NewToken> {
        let count = self.below(3);
        (0..count)
            .map(|n| {
                // Now and then a name that may be taken, which fails the whole commit.
                let taken = self.below(30) == 0;
                let name = if taken { "t0 0".to_owned() } else { format!("t{fresh} {n}") };
                let kind = if self.below(3) == 0 { access(&name) } else { refresh(&name) };
                NewToken {
                    client: ClientId::new("c0"),
                    issued_at: at,
                    expires_at: Timestamp::from_unix(
                        at.unix() + i64::try_from(self.below(60)).unwrap(),
                    ),
                    ..kind
                }
            })
            .collect()
    }

    /// A token written some steps ago.
    fn token(&self, step: u64) -> String {
        let back = 1 + self.below(12);
        format!("t{} {}", step.saturating_sub(back), self.below(2))
    }

    fn issuance(&self, step: u64, at: Timestamp) -> Issuance {
        let tokens = self.tokens(step, at);
        let consume = match self.below(8) {
            0 | 1 => Consume::Nothing,
            2 => Consume::Interaction(hash(&self.name("i"))),
            3 => Consume::Code(hash(&self.name("k"))),
            _ => Consume::Refresh {
                token: hash(&self.token(step)),
                response: step.to_le_bytes().to_vec(),
                successor: tokens.first().map_or(hash("none"), |t| t.hash),
                retry_since: Timestamp::from_unix(
                    at.unix() - i64::try_from(self.below(8)).unwrap(),
                ),
            },
        };
        let parent = match self.below(6) {
            0 => Parent::None,
            1 => Parent::New(NewAuthorization {
                client: ClientId::new("c0"),
                user: self.user(),
                ..authorization(&self.name("a"))
            }),
            _ => Parent::Existing(authorization_id(&self.name("a"))),
        };
        let code = (self.below(4) == 0).then(|| NewCode {
            expires_at: Timestamp::from_unix(at.unix() + i64::try_from(self.below(20)).unwrap()),
            ..code(&self.name("k"))
        });
        let consent = (self.below(4) == 0).then(|| Consent {
            user: self.user(),
            client: self.client(),
            scope: scope(&self.scope()),
            at,
        });
        Issuance { consume, parent, code, tokens, consent, at }
    }
}

/// Does the step that the seed says, and tells what came of it, and what is to be seen then.
async fn step(store: &dyn LawfulStore, seed: u64, step: u64) -> String {
    let dice = Dice(SeededRandom::new(seed * 1_000_000 + step));
    let at = Timestamp::from_unix(NOW.unix() + i64::try_from(step / 4).unwrap());
    let done = match dice.below(24) {
        0 => format!("{:?}", store.revoke(authorization_id(&dice.name("a")), at).await),
        1 => format!("{:?}", store.revoke_token(&hash(&dice.token(step)), at).await),
        2 if dice.below(3) == 0 => {
            let client = (dice.below(2) == 0).then(|| dice.client());
            format!("{:?}", store.revoke_user(&dice.user(), client.as_ref(), at).await)
        }
        3 | 4 => {
            let waiting = PendingAuthorization {
                client: dice.client(),
                expires_at: Timestamp::from_unix(
                    at.unix() + i64::try_from(dice.below(20)).unwrap(),
                ),
                ..pending()
            };
            let interaction = hash(&dice.name("i"));
            // The same interaction id is not drawn twice.
            match store.pending(&interaction).await.unwrap() {
                None => format!("{:?}", store.suspend(interaction, waiting).await),
                Some(_) => "waits".to_owned(),
            }
        }
        5 => {
            let until = Timestamp::from_unix(at.unix() + i64::try_from(dice.below(20)).unwrap());
            format!("{:?}", store.see("jti", &dice.name("s"), until, at).await)
        }
        6 => format!("{:?}", store.sweep(at, 1000).await.map(|_| ())),
        7 if dice.below(4) == 0 => format!("{:?}", store.remove_client(&dice.client()).await),
        8 => format!("{:?}", store.insert_client(client(dice.client().as_str())).await),
        _ => match store.commit(dice.issuance(step, at)).await {
            Ok(committed) => format!("{committed:?}"),
            Err(_) => "an error".to_owned(),
        },
    };
    format!("{done}; {}", look(store, &dice, step, at).await)
}

/// What a few of the things that can be asked answer.
async fn look(store: &dyn LawfulStore, dice: &Dice, step: u64, at: Timestamp) -> String {
    let user = dice.user();
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        // What has expired may be swept early or late.
        store.token(&hash(&dice.token(step))).await.unwrap().filter(|t| t.expires_at > at),
        store.token(&hash(&dice.token(step))).await.unwrap().filter(|t| t.expires_at > at),
        store.code(&hash(&dice.name("k"))).await.unwrap().filter(|c| c.expires_at > at),
        store.pending(&hash(&dice.name("i"))).await.unwrap().filter(|p| p.expires_at > at),
        store.authorizations(&user, at).await.unwrap(),
        store.consents(&user).await.unwrap(),
        store.seen("jti", &dice.name("s"), at).await.unwrap(),
    )
}

async fn agree(store: &dyn LawfulStore, seed: u64) -> usize {
    let model = MemoryStore::new();
    let mut issued = 0;
    for n in 0..STEPS {
        let wanted = step(&model, seed, n).await;
        let found = step(store, seed, n).await;
        assert_eq!(found, wanted, "seed {seed}, step {n}");
        issued += usize::from(found.starts_with("Done"));
    }
    issued
}

fn all_ports<S: ClientStore + GrantStore + KeyStore + Users>(_: &S) {}

#[tokio::test]
async fn sqlite_answers_as_memory_does() {
    for seed in 0..SEEDS {
        let database = TestDatabase::sqlite().await;
        all_ports(&database.store());
        assert!(agree(&database.store(), seed).await > 10);
    }
}

#[tokio::test]
async fn postgres_answers_as_memory_does() {
    for seed in 0..SEEDS {
        let database = TestDatabase::postgres().await;
        assert!(agree(&database.store(), seed).await > 10);
    }
}
