//! Who may do what. Every verb of a user asks here, and nowhere else.

use super::Refused;

/// Who is at the other end of a socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct User(pub(super) String);

impl User {
    /// The one user of a relay that asks for no token.
    pub fn local() -> Self {
        Self("local".to_owned())
    }
}

/// What a user does with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Read,
    Send,
    Stop,
    Retry,
    Update,
    Export,
    Delete,
}

/// May this user do that with a conversation of `owner`? It is its owner's alone, whatever the verb.
pub fn authorise(user: &User, owner: &User, verb: Verb) -> Result<(), Refused> {
    match verb {
        Verb::Read | Verb::Send | Verb::Stop | Verb::Retry | Verb::Update | Verb::Export | Verb::Delete
            if user == owner =>
        {
            Ok(())
        }
        _ => Err(Refused::Forbidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_its_owners_alone() {
        let (one, other) = (User::local(), User("other".into()));
        for verb in
            [Verb::Read, Verb::Send, Verb::Stop, Verb::Retry, Verb::Update, Verb::Export, Verb::Delete]
        {
            assert_eq!(authorise(&one, &one, verb), Ok(()));
            assert_eq!(authorise(&other, &one, verb), Err(Refused::Forbidden));
        }
    }
}
