//! Many small worlds, each by its seed: writers, readers that lose their connection, kills. Whatever happens, what a reader holds is a
//! prefix of what was written, and at the end it is all of it.
//!
//! Time is the order of steps. `RIACHO_SEED` runs one world again, `RIACHO_SEEDS` says how many there are.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use futures_util::StreamExt;
use riacho_protocol::{
    ErrorCode, Failure, InterruptReason, JoinConversation, Options, PartInfo, PartKind, Position,
};

use super::*;

const SEEDS: u64 = 2000;
const STEPS: usize = 160;

/// What was written of one epoch.
#[derive(Default, Clone)]
struct Written {
    text: String,
    over: bool,
    /// The epoch ended in a kill.
    killed: bool,
}

struct Message {
    room: usize,
    epochs: Vec<Written>,
    answer: bool,
}

impl Message {
    fn now(&self) -> (u32, &Written) {
        let epoch = self.epochs.len() - 1;
        (u32::try_from(epoch).expect("few"), &self.epochs[epoch])
    }
}

#[derive(Default, Clone, Debug)]
struct Held {
    epoch: u32,
    text: String,
    /// What it was told of the end: the status, and the length.
    end: Option<(Status, u64)>,
    terminal_frames: usize,
}

struct Reader {
    subscription: Subscription,
    held: HashMap<MessageId, Held>,
    /// What it held some time ago.
    before: HashMap<MessageId, Held>,
    joined: Vec<usize>,
}

struct World {
    rng: Rng,
    place: Place,
    _folder: Option<tempfile::TempDir>,
    log: Log,
    rooms: Vec<ConversationId>,
    messages: BTreeMap<MessageId, Message>,
    readers: Vec<Reader>,
    kills: bool,
}

fn subscribe(log: &Log, rng: &mut Rng) -> Subscription {
    // Small limits, so that each step meets them.
    log.subscribe(User::local(), Bounds { max_chunk: rng.usize(1..40), max_page: 100, max_joined: 8 })
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let kills = rng.u8(0..4) == 0;
        let folder = kills.then(|| tempfile::tempdir().expect("a folder"));
        let place =
            folder.as_ref().map_or(Place::Memory, |folder| Place::File(folder.path().join("relay.db")));
        let log = Log::open(&place, 0).expect("a log");
        let rooms = (0..3).map(|_| id::<ConversationId>(&mut rng)).collect();
        let readers = (0..3)
            .map(|_| Reader {
                subscription: subscribe(&log, &mut rng),
                held: HashMap::new(),
                before: HashMap::new(),
                joined: Vec::new(),
            })
            .collect();
        Self { rng, place, _folder: folder, log, rooms, messages: BTreeMap::new(), readers, kills }
    }

    fn live(&mut self) -> Option<Run> {
        let live: Vec<Run> = self
            .messages
            .iter()
            .filter(|(_, message)| !message.now().1.over)
            .map(|(id, message)| Run {
                conversation_id: self.rooms[message.room].clone(),
                message_id: id.clone(),
                epoch: message.now().0,
            })
            .collect();
        self.rng.choice(live)
    }

    fn written(&mut self, run: &Run) -> &mut Written {
        let message = self.messages.get_mut(&run.message_id).expect("known");
        &mut message.epochs[run.epoch as usize]
    }

    async fn step(&mut self) {
        let reader = self.rng.usize(0..self.readers.len());
        match self.rng.u8(0..100) {
            0..8 => self.say(reader).await,
            8..40 => self.append().await,
            40..46 => self.finish().await,
            46..49 => self.retry().await,
            49..79 => self.read(reader).await,
            79..84 => self.join(reader).await,
            84..88 => self.cut(reader).await,
            88..91 => self.pause(reader).await,
            91..94 => self.join_with_less(reader).await,
            94..96 => self.readers[reader].before = self.readers[reader].held.clone(),
            96..98 => self.leave(reader).await,
            _ if self.kills => self.kill().await,
            _ => {}
        }
    }

    async fn say(&mut self, reader: usize) {
        let Some(room) = self.rng.choice(self.readers[reader].joined.clone()) else { return };
        let turn = NewTurn {
            conversation_id: self.rooms[room].clone(),
            message_id: id(&mut self.rng),
            reply_id: id(&mut self.rng),
            parent_id: None,
            content: "pergunta 🌊".into(),
            answer: AnswerBy { provider: "p".into(), model: None, options: Options::default() },
            state: None,
        };
        let written = Written { text: turn.content.clone(), over: true, killed: false };
        self.messages.insert(turn.message_id.clone(), Message { room, epochs: vec![written], answer: false });
        self.messages
            .insert(turn.reply_id.clone(), Message { room, epochs: vec![Written::default()], answer: true });
        assert!(matches!(self.log.add_turn(&User::local(), turn.clone()).await, Ok(Added::New(_))));
        // The line may break before the receipt: then it is sent again.
        if self.rng.bool() {
            assert!(matches!(self.log.add_turn(&User::local(), turn).await, Ok(Added::Again(_))));
        }
    }

    /// Some at once, so that they may be one row of the store, and perhaps an end right behind them.
    async fn append(&mut self) {
        let mut handed_in = Vec::new();
        for _ in 0..self.rng.usize(1..4) {
            let Some(run) = self.live() else { break };
            let pieces = self.pieces(&run);
            handed_in.push(self.log.hand_in(&run, pieces.into()).await.expect("it is taken in"));
        }
        if self.rng.u8(0..8) == 0 {
            self.finish().await;
        }
        for one in handed_in {
            assert!(one.settled().await.is_ok());
        }
    }

    fn pieces(&mut self, run: &Run) -> Vec<Piece> {
        let words = ["a", "água ", "🌊", "```\n", "xyz", "longer than a chunk may be, sometimes "];
        let mut pieces = Vec::new();
        for _ in 0..self.rng.usize(1..4) {
            let text = words[self.rng.usize(0..words.len())].to_owned();
            self.written(run).text.push_str(&text);
            pieces.push(Piece::Text { part: self.rng.u32(0..2), text });
        }
        if self.rng.u8(0..8) == 0 {
            pieces.push(Piece::Part(PartInfo { kind: PartKind::ToolCall, ..PartInfo::default() }));
        }
        pieces
    }

    async fn finish(&mut self) {
        let Some(run) = self.live() else { return };
        let ending = match self.rng.u8(0..3) {
            0 => Ending::Completed,
            1 => Ending::Interrupted(InterruptReason::Stopped),
            _ => Ending::Failed(Failure {
                code: ErrorCode::ProviderFailed,
                message: "x".into(),
                retry_after: None,
            }),
        };
        self.end(&run, ending).await;
    }

    async fn end(&mut self, run: &Run, ending: Ending) {
        let terminal = Terminal { ending, ..Terminal::default() };
        let record = move || terminal.clone();
        assert!(self.log.finish(run, record.clone()).await.is_some());
        assert!(self.log.finish(run, record).await.is_none(), "a second terminal record");
        assert_eq!(
            self.log.append(run, vec![Piece::Text { part: 0, text: "late".into() }].into()).await,
            Err(Refused::Ended)
        );
        self.written(run).over = true;
    }

    async fn retry(&mut self) {
        let over = self.messages.iter().filter(|(_, message)| message.answer && message.now().1.over);
        let over: Vec<(MessageId, u32)> = over.map(|(id, message)| (id.clone(), message.now().0)).collect();
        let Some((id, epoch)) = self.rng.choice(over) else { return };
        let stale = self.log.next_epoch(&User::local(), &id, epoch + 1).await;
        assert!(matches!(stale, Err(Refused::StaleEpoch { .. })));
        assert!(self.log.next_epoch(&User::local(), &id, epoch).await.is_ok());
        self.messages.get_mut(&id).expect("known").epochs.push(Written::default());
    }

    async fn read(&mut self, reader: usize) {
        for _ in 0..self.rng.usize(1..12) {
            let Some(frame) = self.readers[reader].subscription.next().await else { return };
            self.take(reader, frame.into_inner());
        }
    }

    async fn join(&mut self, reader: usize) {
        let room = self.rng.usize(0..self.rooms.len());
        self.join_room(reader, room).await;
    }

    async fn join_room(&mut self, reader: usize, room: usize) {
        let reader_ = &mut self.readers[reader];
        let have = reader_
            .held
            .iter()
            .map(|(id, held)| (id.clone(), Position { epoch: held.epoch, offset: held.text.len() as u64 }));
        let frame = JoinConversation { conversation_id: self.rooms[room].clone(), have: have.collect() };
        let joined = reader_.subscription.join(frame).await.expect("joined");
        if !reader_.joined.contains(&room) {
            reader_.joined.push(room);
        }
        for info in joined.messages {
            let message = &self.messages[&info.message_id];
            let (epoch, written) = message.now();
            assert_eq!(message.room, room, "a message of another conversation");
            assert_eq!((info.epoch, info.length), (epoch, written.text.len() as u64));
            assert_eq!(info.status.is_terminal(), written.over);
            if written.killed {
                assert_eq!(info.reason, Some(InterruptReason::Restart));
            }
            let held = self.readers[reader].held.entry(info.message_id).or_default();
            if held.epoch != info.epoch {
                *held = Held { epoch: info.epoch, ..Held::default() };
            }
            held.end = info.status.is_terminal().then_some((info.status, info.length));
        }
    }

    /// What was on its way is lost.
    async fn cut(&mut self, reader: usize) {
        for _ in 0..self.rng.usize(0..5) {
            let _ = self.readers[reader].subscription.next().await;
        }
        self.readers[reader].subscription = subscribe(&self.log, &mut self.rng);
        for room in std::mem::take(&mut self.readers[reader].joined) {
            self.join_room(reader, room).await;
        }
    }

    /// It asks for what it has: everything comes twice.
    async fn join_with_less(&mut self, reader: usize) {
        let before = self.readers[reader].before.clone();
        let held = std::mem::replace(&mut self.readers[reader].held, before);
        let Some(room) = self.rng.choice(self.readers[reader].joined.clone()) else {
            self.readers[reader].held = held;
            return;
        };
        self.join_room(reader, room).await;
        // What it knows of other rooms it still knows.
        let here: Vec<MessageId> = self
            .messages
            .iter()
            .filter(|(_, message)| message.room == room)
            .map(|(id, _)| id.clone())
            .collect();
        for (id, old) in held {
            if !here.contains(&id) {
                self.readers[reader].held.insert(id, old);
            }
        }
    }

    async fn pause(&mut self, reader: usize) {
        let Some(run) = self.live() else { return };
        let paused = self.rng.bool();
        let _ = self.readers[reader].subscription.set_paused(&run.message_id, run.epoch, paused).await;
    }

    async fn leave(&mut self, reader: usize) {
        if let Some(room) = self.readers[reader].joined.pop() {
            let id = self.rooms[room].clone();
            self.readers[reader].subscription.leave(&id).await;
        }
    }

    async fn kill(&mut self) {
        // The readers' ends of the sockets go with the process.
        let nobody = Log::open(&Place::Memory, 0).expect("a log");
        for reader in &mut self.readers {
            reader.subscription = subscribe(&nobody, &mut self.rng);
        }
        self.log = nobody;
        self.log = Log::open(&self.place, 0).expect("the store opens again");
        for message in self.messages.values_mut() {
            let written = message.epochs.last_mut().expect("one");
            if !written.over {
                (written.over, written.killed) = (true, true);
            }
        }
        for reader in 0..self.readers.len() {
            self.readers[reader].subscription = subscribe(&self.log, &mut self.rng);
            for room in std::mem::take(&mut self.readers[reader].joined) {
                self.join_room(reader, room).await;
            }
        }
    }

    /// What a client does with a frame, and what must hold of it.
    fn take(&mut self, reader: usize, frame: riacho_protocol::ServerFrame) {
        use riacho_protocol::ServerFrame as Frame;
        let reader = &mut self.readers[reader];
        let end = match frame {
            Frame::MessageStarted(frame) => {
                let held = reader.held.entry(frame.message_id).or_default();
                assert!(frame.epoch >= held.epoch, "an older epoch");
                if frame.epoch > held.epoch {
                    *held = Held { epoch: frame.epoch, ..Held::default() };
                }
                return;
            }
            Frame::MessageChunk(frame) => {
                let message = &self.messages[&frame.message_id];
                assert_eq!(
                    frame.conversation_id, self.rooms[message.room],
                    "a chunk of another conversation"
                );
                let written = &message.epochs[frame.epoch as usize].text;
                let held = reader.held.entry(frame.message_id).or_default();
                assert_eq!(frame.epoch, held.epoch);
                let (offset, had) = (frame.offset as usize, held.text.len());
                assert!(offset <= had, "a gap");
                assert!(written[offset..].starts_with(&frame.content), "not what was written");
                if offset + frame.content.len() > had {
                    held.text.push_str(&frame.content[had - offset..]);
                }
                return;
            }
            Frame::ResponseComplete(frame) => (frame.message_id, frame.epoch, frame.status, frame.length),
            Frame::StreamError(frame) => (frame.message_id, frame.epoch, Status::Error, frame.length),
            _ => return,
        };
        let (id, epoch, status, length) = end;
        let held = reader.held.entry(id).or_default();
        assert_eq!((held.epoch, held.text.len() as u64), (epoch, length), "a gap at the end");
        assert!(held.end.is_none() || held.terminal_frames == 0, "two terminal frames");
        held.end = Some((status, length));
        held.terminal_frames += 1;
    }

    /// Everything ends; then everyone has all of it.
    async fn settle(&mut self) {
        while let Some(run) = self.live() {
            self.end(&run, Ending::Completed).await;
        }
        for reader in 0..self.readers.len() {
            // A paused run is taken up again.
            for room in std::mem::take(&mut self.readers[reader].joined) {
                self.join_room(reader, room).await;
            }
            while let Some(frame) = self.readers[reader].subscription.next().await {
                self.take(reader, frame.into_inner());
            }
            let reader = &self.readers[reader];
            for (id, message) in
                self.messages.iter().filter(|(_, message)| reader.joined.contains(&message.room))
            {
                let (epoch, written) = message.now();
                let held = reader.held.get(id).expect("it knows the message");
                assert_eq!((held.epoch, &held.text), (epoch, &written.text));
                assert_eq!(held.end.map(|(_, length)| length), Some(written.text.len() as u64));
            }
        }
    }
}

trait FromText: Sized {
    fn from_text(text: String) -> Self;
}

impl FromText for MessageId {
    fn from_text(text: String) -> Self {
        MessageId::new(text).expect("an id")
    }
}

impl FromText for ConversationId {
    fn from_text(text: String) -> Self {
        ConversationId::new(text).expect("an id")
    }
}

fn id<T: FromText>(rng: &mut Rng) -> T {
    T::from_text(uuid::Uuid::from_u128(rng.u128(..)).to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_reader_has_a_prefix_and_at_the_end_all_of_it() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("RIACHO_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RIACHO_SEEDS").unwrap_or(SEEDS),
    };
    // Several at a time, since each waits for its store most of the time; they share nothing.
    let worlds = futures_util::stream::iter(seeds).map(|seed| async move {
        let world = tokio::spawn(run(seed)).await;
        assert!(world.is_ok(), "seed {seed}: run it again with RIACHO_SEED={seed}");
    });
    worlds.buffer_unordered(16).collect::<Vec<()>>().await;
}

async fn run(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step().await;
    }
    world.settle().await;
}
