//! What a provider says.

use riacho_protocol::{Failure, PartInfo, Usage};

use super::sse::SseEvent;
use crate::detail::Detail;

/// What a provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The next part begins: the first is part 0. An answer of plain text needs none.
    Part(PartInfo),
    Text {
        part: u32,
        text: String,
    },
    /// The last one counts.
    Usage(Usage),
    /// Why it ended, in the provider's word.
    Finish(String),
    /// What happens while no text comes, for the reader.
    Detail(Detail),
    /// With this the answer can be taken up again behind all that came before.
    State(String),
    /// The provider keeps this answer under a name, and can go on behind it.
    Kept(String),
    /// As it came from the provider, for debugging. Only where that is asked for.
    Raw(SseEvent),
    /// This one failed, and another one goes on.
    NextProvider {
        provider: String,
        failure: Failure,
    },
}
