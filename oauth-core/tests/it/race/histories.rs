//! Many actors at random.

use super::*;

/// What an actor did: in which family, with which credential, what came of it, and what it would have issued.
type Deed = (u64, String, Committed, String);

const FAMILIES: u64 = 6;

fn numbered_family(seed: u64, family: u64) -> AuthorizationId {
    numbered_authorization(u128::from(seed * 100 + family))
}

/// Does at random what may be done with a few authorizations.
async fn actor(store: SeaStore, seed: u64, number: usize) -> Vec<Deed> {
    const STEPS: usize = 30;
    let random = SeededRandom::new(seed * 1000 + number as u64);
    let mut deeds = Vec::new();
    let mut known = vec![Vec::<String>::new(); usize::try_from(FAMILIES).unwrap()];
    for step in 0..STEPS {
        let family = random.below(FAMILIES);
        let mine = &mut known[usize::try_from(family).unwrap()];
        let (id, new) = (numbered_family(seed, family), format!("{seed} {family} {number} {step}"));
        let (used, issuance) = match random.below(20) {
            0 => {
                store.revoke(id, after(1)).await.unwrap();
                deeds.push((family, String::new(), Committed::Revoked, new));
                continue;
            }
            1..=4 => {
                let used = format!("{seed} {family} code");
                let redeem = Issuance {
                    consume: Consume::Code(hash(&used)),
                    parent: Parent::Existing(id),
                    tokens: vec![refresh(&new)],
                    ..nothing(after(1))
                };
                (used, redeem)
            }
            _ => {
                // Mostly the youngest, now and then one that was used before.
                let age = usize::try_from(random.below(12) / 10).unwrap();
                let chosen = mine.len().checked_sub(1 + age).and_then(|i| mine.get(i));
                let Some(used) = chosen.cloned() else { continue };
                let rotate = rotation(id, &used, &new, NEVER);
                (used, rotate)
            }
        };
        let outcome = store.commit(issuance).await.unwrap();
        if outcome == Committed::Done {
            mine.push(new.clone());
        }
        deeds.push((family, used, outcome, new));
    }
    deeds
}

/// However the actors meet: nothing is used up twice, and where something was replayed or revoked,
/// nothing lives.
pub(super) async fn histories_end_as_the_rules_say(on: Processes) {
    for seed in 0..6 {
        for family in 0..FAMILIES {
            let code = NewCode { expires_at: after(99), ..code(&format!("{seed} {family} code")) };
            let parent = new_parent(numbered_family(seed, family));
            done(&on.stores[0], Issuance { parent, code: Some(code), ..nothing(NOW) }).await;
        }
        let deeds = on.race(RIVALS, |store, number| actor(store, seed, number)).await.concat();
        let mut used_up = HashSet::new();
        for (_, used, outcome, _) in &deeds {
            if *outcome == Committed::Done {
                assert!(used_up.insert(used), "{used} was used up twice in history {seed}");
            }
        }
        for family in 0..FAMILIES {
            let ours = || deeds.iter().filter(|deed| deed.0 == family);
            let dead =
                ours().any(|deed| matches!(deed.2, Committed::Replayed | Committed::Revoked));
            for (_, _, outcome, new) in ours() {
                let live = on.is_live(&hash(new), after(1)).await;
                let wanted = !dead && *outcome == Committed::Done && !used_up.contains(new);
                assert_eq!(live, wanted, "{new} in history {seed}");
            }
        }
    }
}
