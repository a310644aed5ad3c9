//! Random bytes as choices: whoever runs out of them takes the simplest, so that fewer bytes make smaller expressions.

pub struct Choices(std::vec::IntoIter<u8>);

impl Choices {
    pub fn new(bytes: Vec<u8>) -> Choices {
        Choices(bytes.into_iter())
    }

    /// A number below `count`; 0 at the end of the bytes.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % count
    }

    pub fn one_of<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())]
    }

    /// Between `least` and `most` of what `make` makes.
    pub fn several<T>(&mut self, least: usize, most: usize, mut make: impl FnMut(&mut Choices) -> T) -> Vec<T> {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| make(self)).collect()
    }
}
