//! Who may do what. Every verb of a user asks here, and nowhere else.

use super::Refused;

/// Whose a conversation is, and who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct User(pub(super) String);

impl User {
    /// The one user of a relay that asks for no token.
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    /// The subject of a token. Whatever its name is, it is not the local user.
    pub fn named(subject: &str) -> Self {
        Self(format!("sub:{subject}"))
    }
}

/// What a user does with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// To make a conversation of this id, or to read the one there is.
    Join,
    Send,
    /// To read one message, or to pause it.
    Read,
    Stop,
    Retry,
    Update,
    Export,
    Delete,
}

impl Verb {
    #[cfg(test)]
    const ALL: [Verb; 8] = [
        Verb::Join,
        Verb::Send,
        Verb::Read,
        Verb::Stop,
        Verb::Retry,
        Verb::Update,
        Verb::Export,
        Verb::Delete,
    ];

    /// What someone is told whose conversation it is not: that there is none, where that can be said. Whoever would make one
    /// of this id has to know that it can't be.
    fn refused(self) -> Refused {
        match self {
            Verb::Join | Verb::Send => Refused::Forbidden,
            Verb::Read | Verb::Stop | Verb::Retry => Refused::UnknownMessage,
            Verb::Update | Verb::Export | Verb::Delete => Refused::UnknownConversation,
        }
    }
}

/// May this user do that with a conversation of `owner`? It is its owner's alone, whatever the verb.
pub fn authorise(user: &User, owner: &User, verb: Verb) -> Result<(), Refused> {
    if user == owner { Ok(()) } else { Err(verb.refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_its_owners_alone() {
        let users = [User::local(), User::named("local"), User::named("a")];
        for verb in Verb::ALL {
            for user in &users {
                for owner in &users {
                    assert_eq!(
                        authorise(user, owner, verb).is_ok(),
                        user == owner,
                        "{user:?} {verb:?} {owner:?}"
                    );
                }
            }
        }
    }
}
