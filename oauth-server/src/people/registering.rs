//! Signing up, and confirming the address one signed up with.
//!
//! Nobody learns here whether an address is known: an account is made whoever has the address, which is a mere claim
//! until somebody who reads its letters confirms it. Where it is somebody's already, that one is told, and nobody else.

use super::{
    People,
    email::take_email,
    error::{Complaint, Error, Refusal},
    letters::{self, About, Content, Reader},
    links::{self, Link, NewLink, Purpose},
};
use crate::{
    config::AccountEmail,
    credentials::{check_chosen_username, check_email, check_password},
    entity::{agreement, unconfirmed},
    mail::Letter,
    profile::{self, CheckedProfile, Claim, ProfileDraft},
    shell,
    throttle::{Admission, Subject},
};
use oauth_core::{
    error::PortError,
    model::{Access, AccessRight, UserId},
    seaorm::{NewUser, entity::access_right, new_user_id, people},
};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait as _};

/// What somebody who signs up says.
#[derive(Clone, Default)]
pub struct Registration {
    /// The name to sign in with. Without one, it is made up, and people sign in with the address.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The password.
    pub password: String,
    /// What else the person says about itself.
    pub profile: ProfileDraft,
    /// Rights on APIs, checked by whoever calls.
    pub rights: Vec<(String, Access)>,
    /// Whether the person agrees to the terms.
    pub agrees: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The user.
    pub user: UserId,
    /// The name to sign in with, given or made up.
    pub username: String,
    /// Whether a letter is on its way to the address.
    pub letter: bool,
}

/// What was said, checked.
struct Wanted {
    username: String,
    email: Option<String>,
    profile: CheckedProfile,
}

impl People<'_> {
    /// Makes an account. Counted for the address it comes from.
    pub async fn register(&self, registration: Registration) -> Result<Registered, Error> {
        if !self.state.config.signup.open {
            return Err(Refusal::Closed("signing up").into());
        }
        let wanted = self.wanted(&registration)?;
        if let Some(address) = shell::client_address()
            && let Admission::Wait(seconds) = self.state.throttle.admit_signup(address).await?
        {
            return Err(Refusal::Throttled(seconds).into());
        }
        // The same work whether the name is free or not.
        let password_hash = Some(self.state.passwords.hash(&registration.password).await?);
        let now = self.state.now();
        let id = new_user_id(now, &*self.state.provider.env().random);
        let new = NewUser {
            password_hash,
            email: wanted.email.clone(),
            ..NewUser::new(id.clone(), wanted.username.clone(), now)
        };
        let rights = registration.rights.into_iter();
        let right = |(api, access): (String, _)| AccessRight::new(id.clone(), api, access);
        let rights: Vec<_> = rights.map(right).collect();
        let letter = self.state.mail.is_on() && wanted.email.is_some();
        if !self.create(new, rights, &wanted).await? {
            return Err(Refusal::Conflict("username_taken").into());
        }
        tracing::info!(user.id = %id, agreed_to_terms = registration.agrees, "user signed up");
        Ok(Registered { user: id, username: wanted.username, letter })
    }

    /// Says everything that is wrong with a registration, and makes nothing.
    pub fn check(&self, registration: &Registration) -> Result<(), Refusal> {
        self.wanted(registration).map(drop)
    }

    fn wanted(self, said: &Registration) -> Result<Wanted, Refusal> {
        let config = &self.state.config;
        let mut complaints = Vec::new();
        let mut complain = |field: &str, text: String| {
            complaints.push(Complaint { field: field.into(), text });
        };
        let typed = |text: &Option<String>| {
            text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let email = typed(&said.email);
        let username = match &said.username {
            Some(name) => check_chosen_username(name).unwrap_or_else(|text| {
                complain("username", text);
                String::new()
            }),
            None if email.is_some() => self.made_up_name(),
            None => {
                complain("username", "Choose a user name.".into());
                String::new()
            }
        };
        match email.as_deref().map(check_email) {
            Some(Err(text)) => complain("email", text),
            None if config.accounts.email == AccountEmail::Required => {
                complain("email", "Give your e-mail address.".into());
            }
            _ => {}
        }
        let shortest = config.signup.password_length;
        for name in [Some(username.as_str()), email.as_deref()].into_iter().flatten() {
            if let Err(text) = check_password(&said.password, name, shortest) {
                complain("password", text);
                break;
            }
        }
        if config.accounts.terms_url.is_some() && !said.agrees {
            complain("agreement", "Agree to the terms to make an account.".into());
        }
        let profile = said.profile.check().map_err(|objections| {
            for objection in objections {
                complain(objection.claim.as_str(), objection.text);
            }
        });
        match profile {
            Ok(profile) if complaints.is_empty() => Ok(Wanted { username, email, profile }),
            _ => Err(Refusal::Invalid(complaints)),
        }
    }

    /// A name that nobody has, for whoever does not want to choose one.
    fn made_up_name(self) -> String {
        let mut bytes = [0; 10];
        self.state.provider.env().random.fill(&mut bytes);
        let letters = bytes.map(|b| char::from(b'a' + b % 26));
        format!("user-{}", letters.iter().collect::<String>())
    }

    /// Makes the user with everything that belongs to it, all or nothing.
    async fn create(
        &self,
        new: NewUser,
        rights: Vec<AccessRight>,
        wanted: &Wanted,
    ) -> Result<bool, Error> {
        let now = self.state.now();
        let (id, email) = (new.id.clone(), new.email.clone());
        let profile = wanted.profile.replace(&serde_json::Map::new(), now);
        let post = match &email {
            Some(email) if self.state.mail.is_on() && self.may_write_to(email).await? => {
                let locale = wanted.profile.get(Claim::Locale);
                Some(
                    self.first_letter(&id, Reader { to: email, name: &new.username, locale })
                        .await?,
                )
            }
            _ => None,
        };
        let accounts = &self.state.config.accounts;
        let unconfirmed = email.map(|_| unconfirmed::ActiveModel {
            user_id: Set(id.as_str().to_owned()),
            removes_account: Set(accounts.email == AccountEmail::Required),
            expires_at: Set(now.plus(accounts.unconfirmed_ttl).unix()),
        });
        // Nobody comes as far as this without having agreed to the terms there are.
        let agreement = accounts.terms_url.clone().map(|url| agreement::ActiveModel {
            user_id: Set(id.as_str().to_owned()),
            terms_url: Set(url),
            agreed_at: Set(now.unix()),
        });
        let (mail, life) = (self.state.mail.clone(), accounts.confirm_ttl);
        let write = self.state.store.write(move |t| {
            Box::pin(async move {
                if !people::insert(t, new).await? {
                    return Ok(false);
                }
                write_rights(t, rights).await?;
                if let Some(row) = agreement {
                    agreement::Entity::insert(row).exec_without_returning(t).await?;
                }
                if !profile.is_empty()
                    && let Some(row) = people::hold(t, &id).await?
                {
                    let told = row.claims()?;
                    let mut all = told.clone();
                    all.extend(profile);
                    // An address is never among what is said here.
                    let _ = profile::write(t, &row, &told, all).await?;
                }
                if let Some(row) = unconfirmed {
                    unconfirmed::Entity::insert(row).exec_without_returning(t).await?;
                }
                if let Some((link, letter)) = post {
                    link.write(t, now, life).await?;
                    mail.queue(t, letter).await?;
                }
                Ok(true)
            })
        });
        Ok(write.await?)
    }

    /// The letter for the address of a new account, and the token that belongs to it. Where the address is somebody's,
    /// that one is told, and the token is one that nobody ever gets.
    async fn first_letter(
        &self,
        id: &UserId,
        reader: Reader<'_>,
    ) -> Result<(NewLink, Letter), Error> {
        let link = self.new_link(Purpose::Confirm, id, reader.to);
        let letter = match self.letter_to_owner(reader.to).await? {
            Some(letter) => letter,
            None => self.letter(About::Confirm, reader, &link.url, Purpose::Confirm)?,
        };
        Ok((link, letter))
    }

    /// What to write to whoever has this address confirmed, when somebody else wants to use it.
    pub(super) async fn letter_to_owner(&self, email: &str) -> Result<Option<Letter>, Error> {
        let Some(owner) = self.state.store.account_by_email(email).await? else { return Ok(None) };
        let to = owner.email.as_deref().unwrap_or(email);
        let link = format!("{}/forgot-password", self.state.config.issuer().as_str());
        Ok(Some(self.letter(About::Known, Reader::of(&owner, to), &link, Purpose::Reset)?))
    }

    /// Whether somebody gets one more letter that it did not ask for. Whoever signs up does not learn that.
    async fn may_write_to(&self, email: &str) -> Result<bool, PortError> {
        let admission = self.state.throttle.admit(&Subject::letters_to(email)).await?;
        Ok(admission == Admission::Admitted)
    }

    /// A letter that leads to somewhere for as long as a token of this purpose is good.
    pub(super) fn letter(
        self,
        about: About,
        reader: Reader<'_>,
        link: &str,
        purpose: Purpose,
    ) -> Result<Letter, PortError> {
        let head = self.state.mail.masthead();
        let life = purpose.life(&self.state.config.accounts);
        let language = reader.language(self.state.config.mail.language);
        letters::write(language, about, &Content { life, ..Content::of(head, reader, link) })
    }

    pub(super) fn new_link(self, purpose: Purpose, user: &UserId, email: &str) -> NewLink {
        let env = self.state.provider.env();
        NewLink::new(&env.issuer, &*env.random, purpose, user, email)
    }

    /// Confirms the address somebody signed up with, by the token of the letter that went there.
    pub async fn confirm(&self, token: &str) -> Result<UserId, Error> {
        let (now, token) = (self.state.now(), token.to_owned());
        let write = self.state.store.write(move |t| {
            Box::pin(async move {
                let Some(Link { user, email }) =
                    links::consume(t, Purpose::Confirm, &token, now).await?
                else {
                    return Ok(Err(Refusal::LinkInvalid));
                };
                let row = people::hold(t, &user).await?;
                let fits = row.is_some_and(|row| {
                    !row.email_verified && row.email.as_deref() == Some(&*email) && !row.disabled
                });
                if !fits {
                    return Ok(Err(Refusal::LinkInvalid));
                }
                Ok(take_email(t, &user, &email).await?.map(|()| user))
            })
        });
        let user = write.await??;
        tracing::info!(user.id = %user, "user confirmed the e-mail address");
        Ok(user)
    }

    /// Sends the letter to an address that is not confirmed once more.
    pub async fn confirm_again(&self, id: &UserId) -> Result<(), Error> {
        let account = self.state.store.account(id).await?.ok_or(Refusal::NotFound)?;
        let Some(email) = account.email.as_deref().filter(|_| !account.email_verified) else {
            return Ok(());
        };
        self.admit_letter(email).await?;
        let (link, letter) = self.first_letter(id, Reader::of(&account, email)).await?;
        self.post(link, letter, Purpose::Confirm).await
    }

    /// Writes a token and the letter that carries it.
    pub(super) async fn post(
        &self,
        link: NewLink,
        letter: Letter,
        purpose: Purpose,
    ) -> Result<(), Error> {
        let (now, mail) = (self.state.now(), self.state.mail.clone());
        let life = purpose.life(&self.state.config.accounts);
        let write = self.state.store.write(move |t| {
            Box::pin(async move {
                link.write(t, now, life).await?;
                mail.queue(t, letter).await
            })
        });
        Ok(write.await?)
    }
}

async fn write_rights(t: &DatabaseTransaction, rights: Vec<AccessRight>) -> Result<(), PortError> {
    if !rights.is_empty() {
        let rows = rights.into_iter().map(access_right::ActiveModel::from);
        access_right::Entity::insert_many(rows).exec_without_returning(t).await?;
    }
    Ok(())
}
