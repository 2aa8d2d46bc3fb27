//! Changing a user: by itself, by staff, by administrators. Each may write some fields, by name; everything else is
//! refused before anything is looked up.

use super::{
    Caller, People, Person,
    email::put_email,
    error::{Complaint, Error, Refusal},
    visibility::{Level, Visibility},
};
use crate::{
    administration::users,
    credentials::check_email,
    profile::{self, Claim, ProfileDraft},
};
use oauth_core::{
    error::PortError,
    model::{Role, Timestamp, UserId},
    seaorm::{
        entity::user::{Column, Entity, Model},
        people::{self, EmailChange},
    },
};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, sea_query::Expr,
};
use serde_json::{Map, Value};

/// Who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The user itself.
    Own,
    /// Somebody of the staff, about an ordinary user.
    Staff,
    /// An administrator.
    Admin,
}

/// One field with its new value. There is nothing else that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// What a user says about itself.
    Claim(Claim, String),
    /// Who may see a part of the profile.
    Visibility(String, Level),
    /// Whether the user is locked out.
    Disabled(bool),
    /// What the user is: an ordinary one, staff or an administrator.
    Role(Role),
    /// The address.
    Email(Option<String>),
    /// Whether the address is confirmed.
    EmailVerified(bool),
}

impl Writer {
    /// The allow-list.
    const fn may(self, change: &Change) -> bool {
        match self {
            Self::Own => matches!(change, Change::Claim(..) | Change::Visibility(..)),
            Self::Staff => matches!(change, Change::Disabled(_)),
            Self::Admin => true,
        }
    }
}

/// What is to be changed, every field known and well formed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit(Vec<(String, Change)>);

impl Edit {
    /// Reads a JSON object: a field that is not there stays, `null` takes it away
    /// ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)).
    pub fn read(json: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut edit = Self::default();
        let mut complaints = Vec::new();
        for (name, value) in json {
            edit.take(name, value, &mut complaints);
        }
        if complaints.is_empty() { Ok(edit) } else { Err(Refusal::Invalid(complaints)) }
    }

    fn take(&mut self, name: &str, value: &Value, complaints: &mut Vec<Complaint>) {
        let mut add = |field: String, change: Result<Change, &str>| match change {
            Ok(change) => self.0.push((field, change)),
            Err(text) => complaints.push(Complaint { field, text: text.to_owned() }),
        };
        match (name, value) {
            ("profile", Value::Object(claims)) => {
                for (claim, value) in claims {
                    profile_claim(claim, value, &mut add);
                }
            }
            ("visibility", Value::Object(levels)) => {
                for (part, value) in levels {
                    add(format!("visibility.{part}"), shared(part, value));
                }
            }
            ("disabled", Value::Bool(disabled)) => {
                add(name.into(), Ok(Change::Disabled(*disabled)));
            }
            ("role", Value::String(word)) => add(name.into(), role(word)),
            ("email", Value::Null) => add(name.into(), Ok(Change::Email(None))),
            ("email", Value::String(text)) => {
                let email = check_email(text).map(|email| Change::Email(Some(email)));
                add(name.into(), email.map_err(|_| "Give an address such as ada@example.org."));
            }
            ("email_verified", Value::Bool(verified)) => {
                add(name.into(), Ok(Change::EmailVerified(*verified)));
            }
            ("profile" | "visibility" | "disabled" | "role" | "email" | "email_verified", _) => {
                add(name.into(), Err("This is of the wrong type."));
            }
            _ => add(name.into(), Err(UNKNOWN)),
        }
    }

    /// The fields that this writer may not write.
    fn forbidden(&self, writer: Writer) -> Vec<Complaint> {
        let forbidden = self.0.iter().filter(|(_, change)| !writer.may(change));
        let complaint = |(field, _): &(String, Change)| Complaint {
            field: field.clone(),
            text: "You may not write this field.".into(),
        };
        forbidden.map(complaint).collect()
    }
}

const UNKNOWN: &str = "There is no such field that could be written.";

fn profile_claim(
    name: &str,
    value: &Value,
    add: &mut impl FnMut(String, Result<Change, &'static str>),
) {
    if let ("address", Value::Object(members)) = (name, value) {
        for (member, value) in members {
            let name = format!("address.{member}");
            add(format!("profile.{name}"), said(&name, value));
        }
        return;
    }
    if name == "address" && value.is_null() {
        for claim in Claim::ALL.iter().filter(|claim| claim.as_str().starts_with("address.")) {
            add(format!("profile.{}", claim.as_str()), Ok(Change::Claim(*claim, String::new())));
        }
        return;
    }
    add(format!("profile.{name}"), said(name, value));
}

/// What a user says. The address has a way of its own, and so has the word of whoever verifies.
fn said(name: &str, value: &Value) -> Result<Change, &'static str> {
    let claim = Claim::parse(name).filter(|claim| *claim != Claim::Email).ok_or(UNKNOWN)?;
    match value {
        Value::Null => Ok(Change::Claim(claim, String::new())),
        Value::String(text) => Ok(Change::Claim(claim, text.clone())),
        _ => Err("This is of the wrong type."),
    }
}

fn shared(part: &str, value: &Value) -> Result<Change, &'static str> {
    if !Visibility::is_part(part) || part.ends_with("_verified") {
        return Err(UNKNOWN);
    }
    let level = match value {
        Value::Null => Some(Level::Private),
        Value::String(word) => Level::parse(word),
        _ => None,
    };
    let level = level.ok_or("Say private, collective, commons or opendata.")?;
    Ok(Change::Visibility(part.to_owned(), level))
}

fn role(word: &str) -> Result<Change, &'static str> {
    match Role::parse(word) {
        Some(role @ (Role::Registered | Role::Staff | Role::Admin)) => Ok(Change::Role(role)),
        _ => Err("Say registered, staff or admin."),
    }
}

impl People<'_> {
    /// Changes a user, if it is still what the tag says, or whatever it is for `*`.
    pub async fn edit(
        &self,
        caller: &Caller,
        id: &UserId,
        edit: Edit,
        if_match: &str,
    ) -> Result<Person, Error> {
        let person = self.person(id).await?;
        let writer = writer(caller, &person)?;
        let forbidden = edit.forbidden(writer);
        if !forbidden.is_empty() {
            return Err(Refusal::FieldsNotAllowed(forbidden).into());
        }
        keep_oneself(caller, id, &edit)?;
        let (now, env) = (self.state.now(), self.state.provider.env());
        let (user, expected, sealer) = (id.clone(), if_match.to_owned(), env.sealer.clone());
        let locks_out = edit.0.iter().any(|(_, c)| *c == Change::Disabled(true));
        let write = self.state.store.write(move |t| {
            Box::pin(async move {
                let Some(row) = people::hold(t, &user).await? else {
                    return Ok(Err(Refusal::NotFound));
                };
                let current = Person::of(row.clone(), &sealer)?;
                if expected != "*" && expected != current.tag() {
                    return Ok(Err(Refusal::Stale));
                }
                if writer == Writer::Staff && current.account.role() >= Role::Staff {
                    return Ok(Err(Refusal::NotAllowed));
                }
                if let Err(refusal) = apply(t, &row, edit, now).await? {
                    return Ok(Err(refusal));
                }
                let row = people::hold(t, &user).await?;
                let row = row.ok_or_else(|| PortError::new("a user went while it was held"))?;
                Ok(Ok(Person::of(row, &sealer)?))
            })
        });
        let person = write.await??;
        if locks_out {
            users::cut_off(self.state, id).await?;
        }
        tracing::info!(user.id = %id, by = %caller.subject, "user changed");
        Ok(person)
    }
}

/// Nobody locks itself out or stops being an administrator, since nobody could take that back.
fn keep_oneself(caller: &Caller, id: &UserId, edit: &Edit) -> Result<(), Refusal> {
    let hurts = edit.0.iter().any(|(_, change)| match change {
        Change::Disabled(disabled) => *disabled,
        Change::Role(role) => *role != Role::Admin,
        _ => false,
    });
    if hurts && caller.subject == *id { Err(Refusal::Conflict("own_account")) } else { Ok(()) }
}

/// As whom the caller writes about this user.
fn writer(caller: &Caller, person: &Person) -> Result<Writer, Refusal> {
    if caller.role == Role::Admin {
        Ok(Writer::Admin)
    } else if person.is(&caller.subject) {
        Ok(Writer::Own)
    } else if caller.role == Role::Staff {
        let ordinary = person.account.role() < Role::Staff;
        ordinary.then_some(Writer::Staff).ok_or(Refusal::NotAllowed)
    } else {
        // Whether there is such a user is nothing to learn here.
        Err(Refusal::NotFound)
    }
}

/// Writes the changes. What can be refused comes first: what was refused must not be half done.
async fn apply(
    t: &DatabaseTransaction,
    row: &Model,
    edit: Edit,
    now: Timestamp,
) -> Result<Result<(), Refusal>, PortError> {
    let claims = row.claims()?;
    let mut draft = ProfileDraft::from(&claims);
    let mut visibility = Visibility::read(row.visibility.as_deref())?;
    let (mut email, mut verified) = (row.email.clone(), row.email_verified);
    let (mut disabled, mut admin, mut staff) = (row.disabled, row.is_admin, row.is_staff);
    for (_, change) in edit.0 {
        match change {
            Change::Claim(claim, text) => draft.set(claim, text),
            Change::Visibility(part, level) => visibility.set(&part, level),
            Change::Disabled(value) => disabled = value,
            Change::Role(role) => (admin, staff) = (role == Role::Admin, role == Role::Staff),
            Change::Email(address) => {
                verified &= address == email;
                email = address;
            }
            Change::EmailVerified(value) => verified = value,
        }
    }
    let checked = match draft.check() {
        Ok(checked) => checked,
        Err(objections) => {
            let complaint = |o: profile::Objection| Complaint {
                field: format!("profile.{}", o.claim.as_str()),
                text: o.text,
            };
            return Ok(Err(Refusal::Invalid(objections.into_iter().map(complaint).collect())));
        }
    };
    if verified && email.is_none() {
        return Ok(Err(Refusal::invalid("email_verified", "There is no address to be confirmed.")));
    }
    if (&email, verified) != (&row.email, row.email_verified)
        && put_email(t, row, email.as_deref(), verified).await? != EmailChange::Done
    {
        return Ok(Err(Refusal::Conflict("email_taken")));
    }
    let wanted = checked.replace(&claims, now);
    if wanted != claims && profile::write(t, row, &claims, wanted).await?.is_err() {
        return Ok(Err(Refusal::Conflict("email_taken")));
    }
    Entity::update_many()
        .col_expr(Column::Visibility, Expr::value(visibility.stored()))
        .col_expr(Column::Disabled, Expr::value(disabled))
        .col_expr(Column::IsAdmin, Expr::value(admin))
        .col_expr(Column::IsStaff, Expr::value(staff))
        .filter(Column::Id.eq(row.id.as_str()))
        .exec(t)
        .await?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Every field there is, with a good value, and who may write it.
    fn fields() -> Vec<(Value, &'static str, [bool; 3])> {
        let mut fields = vec![
            (json!({"disabled": true}), "disabled", [false, true, true]),
            (json!({"role": "admin"}), "role", [false, false, true]),
            (json!({"role": "registered"}), "role", [false, false, true]),
            (json!({"email": "a@example.org"}), "email", [false, false, true]),
            (json!({"email": null}), "email", [false, false, true]),
            (json!({"email_verified": true}), "email_verified", [false, false, true]),
            (json!({"visibility": {"name": "commons"}}), "visibility.name", [true, false, true]),
            (json!({"visibility": {"username": null}}), "visibility.username", [true, false, true]),
            (
                json!({"profile": {"address": {"country": "UK"}}}),
                "profile.address.country",
                [true, false, true],
            ),
        ];
        for claim in Claim::ALL {
            let name = claim.as_str();
            if *claim != Claim::Email && !name.contains('.') {
                let name: &'static str = name;
                fields.push((json!({"profile": {name: "x"}}), name, [true, false, true]));
            }
        }
        fields
    }

    fn read(json: &Value) -> Result<Edit, Refusal> {
        Edit::read(json.as_object().unwrap())
    }

    #[test]
    fn s2_17_each_field_has_its_writers_and_nobody_else() {
        for (json, field, expected) in fields() {
            let edit = read(&json).unwrap();
            for (writer, may) in
                [Writer::Own, Writer::Staff, Writer::Admin].into_iter().zip(expected)
            {
                let forbidden = edit.forbidden(writer);
                assert_eq!(forbidden.is_empty(), may, "{writer:?} {field}");
                assert!(may || forbidden.iter().all(|c| c.field.ends_with(field)), "{forbidden:?}");
            }
        }
    }

    #[test]
    fn s2_17_what_is_no_field_is_refused_whoever_writes() {
        for name in [
            "id",
            "sub",
            "_id",
            "username",
            "username_key",
            "password",
            "password_hash",
            "pwd",
            "auth",
            "auth.role",
            "auth.conf_usr",
            "auth.pwd",
            "is_admin",
            "is_staff",
            "admin",
            "created_at",
            "email_key",
            "has_password",
            "rights",
            "$set",
            "roles",
            "updated_at",
        ] {
            let refused = read(&json!({name: true})).unwrap_err();
            assert_eq!(refused, Refusal::invalid(name, UNKNOWN), "{name}");
        }
        for (json, field) in [
            (json!({"profile": {"email": "a@example.org"}}), "profile.email"),
            (json!({"profile": {"email_verified": true}}), "profile.email_verified"),
            (json!({"profile": {"phone_number_verified": true}}), "profile.phone_number_verified"),
            (json!({"profile": {"sub": "x"}}), "profile.sub"),
            (json!({"profile": {"updated_at": 1}}), "profile.updated_at"),
            (json!({"profile": {"role": "admin"}}), "profile.role"),
            (json!({"profile": {"address": {"planet": "x"}}}), "profile.address.planet"),
            (json!({"visibility": {"password": "commons"}}), "visibility.password"),
            (json!({"visibility": {"email_verified": "commons"}}), "visibility.email_verified"),
        ] {
            assert_eq!(read(&json).unwrap_err(), Refusal::invalid(field, UNKNOWN), "{field}");
        }
    }

    #[test]
    fn s2_17_what_is_malformed_is_refused() {
        for json in [
            json!({"disabled": "true"}),
            json!({"role": "system"}),
            json!({"role": "guest"}),
            json!({"role": "anonymous"}),
            json!({"role": null}),
            json!({"email": "ada"}),
            json!({"email": 1}),
            json!({"email_verified": "yes"}),
            json!({"profile": []}),
            json!({"profile": {"name": 1}}),
            json!({"profile": {"address": "x"}}),
            json!({"visibility": {"name": "everybody"}}),
            json!({"visibility": {"name": 1}}),
            json!({"visibility": null}),
        ] {
            assert!(matches!(read(&json), Err(Refusal::Invalid(_))), "{json}");
        }
        assert_eq!(read(&json!({})).unwrap(), Edit::default());
    }
}
