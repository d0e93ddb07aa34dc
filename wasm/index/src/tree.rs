//! The places of keys: a crit-bit tree, after <https://cr.yp.to/critbit.html>.
//!
//! A fork asks for the first bit in which the keys below it differ; what is below it agrees up to there. A way down asks
//! no bit twice, and each in its turn, so no key takes longer than it is long, whatever the others are: with *n* random
//! keys it asks about log₂ *n*, and the worst that a text of *n* bytes can bring about is about 8 *n* questions.

/// Keys, numbered in the order in which they came: fewer than 2³¹ of them, and each shorter than 4 GiB.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// All of them, one behind the other.
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
    /// One less than there are keys.
    forks: Vec<Fork>,
    root: Below,
}

/// Small, as they are read in no order: it is the processor's cache that makes it fast.
#[derive(Debug, Clone)]
struct Fork {
    /// The byte of the key, and the bit in it.
    at: u32,
    bit: u8,
    below: [Below; 2],
}

/// A fork's place, or a key's number and [`KEY`].
type Below = u32;

const KEY: Below = 1 << 31;

/// UTF-8 has no such byte, so no key ends where another goes on alike.
const END: u8 = 0xff;

fn byte(key: &str, at: usize) -> u8 {
    key.as_bytes().get(at).copied().unwrap_or(END)
}

impl Fork {
    /// Which way a key goes here.
    fn side(&self, key: &str) -> usize {
        usize::from(byte(key, self.at as usize) & self.bit != 0)
    }
}

impl Tree {
    /// The key with this number. It must be there.
    pub fn key(&self, place: usize) -> &str {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[place]]
    }

    #[inline(never)]
    pub fn find(&self, key: &str) -> Option<usize> {
        let near = self.nearest(key)?;
        (self.key(near) == key).then_some(near)
    }

    /// The one key that can be this one; none if there are no keys.
    fn nearest(&self, key: &str) -> Option<usize> {
        if self.ends.is_empty() {
            return None;
        }
        let mut below = self.root;
        while below & KEY == 0 {
            let fork = &self.forks[below as usize];
            below = fork.below[fork.side(key)];
        }
        Some((below ^ KEY) as usize)
    }

    /// The number of this key, which is new if it is the number of keys that there were.
    #[inline(never)]
    pub fn insert(&mut self, key: &str) -> usize {
        let new = self.ends.len();
        if let Some(near) = self.nearest(key) {
            let known = self.key(near);
            let same = known.bytes().zip(key.bytes()).take_while(|(a, b)| a == b).count();
            let differs = byte(known, same) ^ byte(key, same);
            if differs == 0 {
                return near;
            }
            // The highest bit in which they differ.
            let mut fork = Fork { at: same as u32, bit: 0x80 >> differs.leading_zeros(), below: [0; 2] };
            let side = fork.side(key);
            let (mut above, mut below) = (None, self.root);
            while below & KEY == 0 {
                let known = &self.forks[below as usize];
                if (known.at, !known.bit) > (fork.at, !fork.bit) {
                    break;
                }
                let side = known.side(key);
                above = Some((below as usize, side));
                below = known.below[side];
            }
            fork.below = [below; 2];
            fork.below[side] = new as u32 | KEY;
            let place = self.forks.len() as u32;
            self.forks.push(fork);
            match above {
                Some((at, side)) => self.forks[at].below[side] = place,
                None => self.root = place,
            }
        } else {
            self.root = KEY;
        }
        self.text.push_str(key);
        self.ends.push(self.text.len());
        new
    }
}

#[cfg(test)]
mod tests {
    use super::{Below, KEY, Tree};

    /// How many bits a look-up of each key asks for, in all.
    fn questions(tree: &Tree, below: Below, above: usize) -> usize {
        if below & KEY != 0 {
            return above;
        }
        tree.forks[below as usize].below.iter().map(|&below| questions(tree, below, above + 1)).sum()
    }

    fn most_questions(keys: impl Iterator<Item = String>) -> (usize, usize) {
        let mut tree = Tree::default();
        for key in keys {
            tree.insert(&key);
        }
        (questions(&tree, tree.root, 0), 8 * (tree.text.len() + tree.ends.len()))
    }

    #[test]
    fn no_keys_are_slow() {
        // Each the beginning of the next: as deep as a tree of so much text can be.
        let (asked, bound) = most_questions((0..1000).map(|length| "a".repeat(length)));
        assert!(asked <= bound, "{asked} {bound}");
        let (asked, bound) = most_questions((0..20_000).map(|number| number.to_string()));
        assert!(asked <= bound && asked < 20_000 * 20, "{asked} {bound}");
    }
}
