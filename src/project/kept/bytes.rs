//! Values as bytes, one after the other: whole numbers of 7 bits a byte, floats as they
//! are, little-endian. What is read was not always written by us: nothing here panics or
//! takes more memory than the bytes warrant.

use std::collections::BTreeMap;

/// Bytes that are not what they were said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(pub(super) &'static str);

const SHORT: Unreadable = Unreadable("it ends too early");

/// Written to its end.
#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// The lowest 7 bits first, the highest bit says that more follow.
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Small where it is near 0, on either side.
    pub(super) fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)) as u64);
    }
}

/// Read from its beginning.
#[derive(Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    /// # Errors
    /// Nothing is left; so for everything below.
    pub(super) fn byte(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.0.split_first().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*first)
    }

    /// # Errors
    /// As [`Self::byte`].
    pub(super) fn number(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Unreadable("a number is too long"))
    }

    /// # Errors
    /// As [`Self::byte`].
    pub(super) fn signed(&mut self) -> Result<i64, Unreadable> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (first, rest) = self.0.split_first_chunk().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*first)
    }
}

/// What can be put into bytes and taken out the same.
pub(super) trait Compact: Sized {
    fn put(&self, to: &mut Writer);
    /// # Errors
    /// The bytes are no such value.
    fn take(from: &mut Reader) -> Result<Self, Unreadable>;
}

/// A struct field by field; a field that is added and not named here does not compile.
macro_rules! fields {
    ($($name:ident { $($field:ident),* $(,)? })*) => {$(
        impl Compact for $name {
            fn put(&self, to: &mut Writer) {
                let Self { $($field),* } = self;
                $($field.put(to);)*
            }

            fn take(from: &mut Reader) -> Result<Self, Unreadable> {
                Ok(Self { $($field: Compact::take(from)?),* })
            }
        }
    )*};
}

/// An enum by the number that stands beside each of its cases; numbers are for ever.
macro_rules! cases {
    ($($name:ident { $($case:ident = $number:literal),* $(,)? })*) => {$(
        impl Compact for $name {
            fn put(&self, to: &mut Writer) {
                to.byte(match self { $(Self::$case => $number),* });
            }

            fn take(from: &mut Reader) -> Result<Self, Unreadable> {
                match from.byte()? {
                    $($number => Ok(Self::$case),)*
                    _ => Err(Unreadable(concat!("it has an unknown ", stringify!($name)))),
                }
            }
        }
    )*};
}

pub(super) use {cases, fields};

impl Compact for u64 {
    fn put(&self, to: &mut Writer) {
        to.number(*self);
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        from.number()
    }
}

impl Compact for u32 {
    fn put(&self, to: &mut Writer) {
        to.number(u64::from(*self));
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        Self::try_from(from.number()?)
            .ok()
            .ok_or(Unreadable("a number is too large"))
    }
}

impl Compact for usize {
    fn put(&self, to: &mut Writer) {
        to.number(*self as u64);
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        Self::try_from(from.number()?)
            .ok()
            .ok_or(Unreadable("a number is too large"))
    }
}

impl Compact for f32 {
    fn put(&self, to: &mut Writer) {
        to.0.extend(self.to_le_bytes());
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        from.array().map(Self::from_le_bytes)
    }
}

impl Compact for f64 {
    fn put(&self, to: &mut Writer) {
        to.0.extend(self.to_le_bytes());
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        from.array().map(Self::from_le_bytes)
    }
}

impl Compact for bool {
    fn put(&self, to: &mut Writer) {
        to.byte(u8::from(*self));
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        Ok(from.byte()? != 0)
    }
}

impl Compact for String {
    fn put(&self, to: &mut Writer) {
        self.len().put(to);
        to.0.extend(self.as_bytes());
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        let length = usize::take(from)?;
        let (text, rest) = from.0.split_at_checked(length).ok_or(SHORT)?;
        from.0 = rest;
        let text = std::str::from_utf8(text)
            .ok()
            .ok_or(Unreadable("a text is none"))?;
        Ok(text.to_owned())
    }
}

impl<T: Compact> Compact for Option<T> {
    fn put(&self, to: &mut Writer) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        bool::take(from)?.then(|| T::take(from)).transpose()
    }
}

impl<T: Compact> Compact for Vec<T> {
    fn put(&self, to: &mut Writer) {
        self.len().put(to);
        self.iter().for_each(|value| value.put(to));
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        let count = usize::take(from)?;
        // Each takes a byte at least.
        if count > from.0.len() {
            return Err(SHORT);
        }
        (0..count).map(|_| T::take(from)).collect()
    }
}

impl<T: Compact, const N: usize> Compact for [T; N] {
    fn put(&self, to: &mut Writer) {
        self.iter().for_each(|value| value.put(to));
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        let values: Vec<T> = (0..N).map(|_| T::take(from)).collect::<Result<_, _>>()?;
        values.try_into().ok().ok_or(SHORT)
    }
}

impl<T: Compact> Compact for Box<T> {
    fn put(&self, to: &mut Writer) {
        self.as_ref().put(to);
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        T::take(from).map(Self::new)
    }
}

impl<A: Compact, B: Compact> Compact for (A, B) {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        Ok((A::take(from)?, B::take(from)?))
    }
}

impl<K: Compact + Ord, V: Compact> Compact for BTreeMap<K, V> {
    fn put(&self, to: &mut Writer) {
        self.len().put(to);
        for (key, value) in self {
            key.put(to);
            value.put(to);
        }
    }

    fn take(from: &mut Reader) -> Result<Self, Unreadable> {
        Vec::take(from).map(|pairs| pairs.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again<T: Compact>(value: &T) -> T {
        let mut to = Writer::default();
        value.put(&mut to);
        let mut from = Reader(&to.0);
        let back = T::take(&mut from).unwrap();
        assert!(from.0.is_empty(), "all of it is read");
        back
    }

    #[test]
    fn numbers_of_any_size_come_back_and_small_ones_are_one_byte() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(again(&number), number);
        }
        for number in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            let mut to = Writer::default();
            to.signed(number);
            assert_eq!(to.0.len() == 1, (-64..64).contains(&number), "{number}");
            assert_eq!(Reader(&to.0).signed(), Ok(number));
        }
    }

    #[test]
    fn texts_lists_maps_and_floats_come_back_to_the_last_bit() {
        let text = "Überraschung".to_owned();
        assert_eq!(again(&text), text);
        let map = BTreeMap::from([(3_u64, vec![Some(0.1_f64), None]), (9, vec![])]);
        assert_eq!(again(&map), map);
        let odd = [f32::NAN, -0.0, f32::MIN_POSITIVE];
        assert_eq!(again(&odd).map(f32::to_bits), odd.map(f32::to_bits));
    }

    #[test]
    fn bytes_that_are_none_of_ours_are_refused_and_take_no_memory() {
        let mut to = Writer::default();
        u64::MAX.put(&mut to);
        assert!(Vec::<u64>::take(&mut Reader(&to.0)).is_err());
        assert!(String::take(&mut Reader(&to.0)).is_err());
        assert!(u32::take(&mut Reader(&to.0)).is_err());
        assert!(Reader(&[0xff; 11]).number().is_err());
        assert!(f64::take(&mut Reader(&[1, 2])).is_err());
    }
}
