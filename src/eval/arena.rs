//! Where the texts and lists live that an evaluation makes: all of them as long as it runs, so that values are plain copies.

use super::operand::Operand;
use std::cell::{Cell, OnceCell};

/// What the texts and lists of one evaluation may take in all, in bytes; what it shares with others is an evaluation of its own.
const MOST_BYTES: usize = 4 << 20;
/// What an item of a list counts: the same on every face, whatever its size there is.
const ITEM_BYTES: usize = 32;

/// A chain of blocks.
#[derive(Default)]
pub(crate) struct Arena<'a> {
    /// Made when something is kept: most evaluations keep nothing.
    first: OnceCell<Box<Block<'a>>>,
    /// The block that is being filled, where it is not the first.
    last: Cell<Option<&'a Block<'a>>>,
    /// Places taken in it.
    taken: Cell<usize>,
    bytes: Cell<usize>,
}

#[derive(Default)]
struct Block<'a> {
    places: [OnceCell<Made<'a>>; 8],
    next: OnceCell<Box<Block<'a>>>,
}

enum Made<'a> {
    Text(Vec<u8>),
    List(Vec<Operand<'a>>),
}

impl<'a> Arena<'a> {
    /// Begins to count what is made at so many bytes, and says how many it were until now.
    pub(crate) fn count_from(&self, bytes: usize) -> usize {
        self.bytes.replace(bytes)
    }

    /// Keeps a text; `None` when there is too much already.
    pub(crate) fn text(&'a self, text: Vec<u8>) -> Option<&'a [u8]> {
        match self.keep(text.len(), Made::Text(text))? {
            Made::Text(text) => Some(text),
            Made::List(_) => None,
        }
    }

    /// Keeps a list; `None` when there is too much already.
    pub(crate) fn list(&'a self, items: Vec<Operand<'a>>) -> Option<&'a [Operand<'a>]> {
        match self.keep(items.len() * ITEM_BYTES, Made::List(items))? {
            Made::List(items) => Some(items),
            Made::Text(_) => None,
        }
    }

    fn keep(&'a self, bytes: usize, made: Made<'a>) -> Option<&'a Made<'a>> {
        let bytes = self.bytes.get() + bytes + ITEM_BYTES;
        if bytes > MOST_BYTES {
            return None;
        }
        self.bytes.set(bytes);
        let mut block = match self.last.get() {
            Some(block) => block,
            None => {
                let _ = self.first.set(Box::default());
                self.first.get()?
            }
        };
        if self.taken.get() == block.places.len() {
            let _ = block.next.set(Box::default());
            block = block.next.get()?;
            self.last.set(Some(block));
            self.taken.set(0);
        }
        let place = block.places.get(self.taken.get())?;
        self.taken.set(self.taken.get() + 1);
        let _ = place.set(made);
        place.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_evaluation_makes_is_limited() {
        let text = |bytes: usize| Arena::default().text(vec![b'a'; bytes]).map(<[u8]>::len);
        assert_eq!(text(MOST_BYTES - ITEM_BYTES), Some(MOST_BYTES - ITEM_BYTES));
        assert_eq!(text(MOST_BYTES - ITEM_BYTES + 1), None);
        let list = |items: usize| Arena::default().list(vec![Operand::Bool(true); items]).map(<[Operand<'_>]>::len);
        assert_eq!(list(MOST_BYTES / ITEM_BYTES - 1), Some(MOST_BYTES / ITEM_BYTES - 1));
        assert_eq!(list(MOST_BYTES / ITEM_BYTES), None);
        // All of it counts together, and what was refused does not.
        let arena = Arena::default();
        for bytes in 0..100 {
            assert_eq!(arena.text(vec![b'a'; bytes]).map(<[u8]>::len), Some(bytes));
        }
        let taken = 99 * 100 / 2 + 100 * ITEM_BYTES;
        assert!(arena.text(vec![b'a'; MOST_BYTES - taken]).is_none());
        assert!(arena.text(vec![b'a'; MOST_BYTES - taken - ITEM_BYTES]).is_some());
        assert!(arena.text(Vec::new()).is_none());
    }
}
