//! Reads the tensors of a checkpoint that PyTorch saved, in its present form (a ZIP
//! archive) and the one before version 1.6 (pickles, then the numbers).
//!
//! A pickle is a program. This one runs nothing of it: it follows the few instructions
//! that a table of tensors needs and refuses the others.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::parameters::Tensors;
use super::weights::{WeightsError, WeightsTensor, read_all};

#[derive(Debug, thiserror::Error)]
pub enum PyTorchError {
    #[error(transparent)]
    File(#[from] WeightsError),
    #[error("This is not a PyTorch checkpoint that can be read: {reason}. Choose the .pth file of a network's parameters (its state_dict): {}", path.display())]
    NotACheckpoint { path: PathBuf, reason: String },
}

/// The checkpoint's 32-bit float tensors by name; whole numbers (counters) are left out.
///
/// # Errors
/// When the file cannot be read or is no table of tensors.
pub fn read_checkpoint(path: &Path) -> Result<Tensors, PyTorchError> {
    let bytes = read_all(path)?;
    let read = if bytes.starts_with(b"PK\x03\x04") {
        from_archive(&bytes)
    } else {
        from_pickles(&bytes)
    };
    read.map_err(|reason| PyTorchError::NotACheckpoint {
        path: path.to_owned(),
        reason,
    })
}

/// Protocol 1001: magic number, version, system, table of tensors, order of the
/// storages; then each storage's length and numbers.
fn from_pickles(bytes: &[u8]) -> Result<Tensors, String> {
    const MAGIC: &[u8] = &[0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
    let mut reader = Reader { bytes, at: 0 };
    match unpickle(&mut reader)? {
        Value::Long(number) if number == MAGIC => {}
        _ => return Err("it does not begin as one".to_owned()),
    }
    unpickle(&mut reader)?;
    unpickle(&mut reader)?;
    let table = unpickle(&mut reader)?;
    let Value::List(order) = unpickle(&mut reader)? else {
        return Err("the order of its storages is missing".to_owned());
    };
    let wide = storages_of(&table);
    let mut storages = HashMap::new();
    for key in order {
        let Value::Text(key) = key else {
            return Err("a storage has no name".to_owned());
        };
        let count = reader.number(8)? as usize;
        let width = wide.get(&key).copied().unwrap_or(4);
        let data = reader.take(count.checked_mul(width).ok_or("a storage is too long")?)?;
        storages.insert(key, data);
    }
    tensors(&table, &storages)
}

/// A ZIP archive with `…/data.pkl` and `…/data/<key>`, stored, not compressed.
fn from_archive(bytes: &[u8]) -> Result<Tensors, String> {
    let files = archive_files(bytes)?;
    let table = files
        .iter()
        .find(|(name, _)| name.ends_with("/data.pkl") || name.as_str() == "data.pkl")
        .ok_or("the archive holds no data.pkl")?;
    let folder = table.0.trim_end_matches("data.pkl").to_owned();
    let table = unpickle(&mut Reader {
        bytes: table.1,
        at: 0,
    })?;
    let prefix = format!("{folder}data/");
    let storages = files
        .iter()
        .filter_map(|(name, data)| Some((name.strip_prefix(&prefix)?.to_owned(), *data)))
        .collect();
    tensors(&table, &storages)
}

fn archive_files(bytes: &[u8]) -> Result<BTreeMap<String, &[u8]>, String> {
    const END: [u8; 4] = *b"PK\x05\x06";
    const ENTRY: u64 = 0x0201_4b50;
    let end = bytes
        .windows(4)
        .rposition(|four| four == END)
        .ok_or("the archive is cut off")?;
    let mut reader = Reader {
        bytes,
        at: end + 10,
    };
    let count = reader.number(2)?;
    reader.number(4)?;
    reader.at = reader.number(4)? as usize;
    let mut files = BTreeMap::new();
    for _ in 0..count {
        if reader.number(4)? != ENTRY {
            return Err("the archive's list is damaged".to_owned());
        }
        reader.take(6)?;
        let method = reader.number(2)?;
        reader.take(12)?;
        let size = reader.number(4)? as usize;
        let [name, extra, comment] =
            [reader.number(2)?, reader.number(2)?, reader.number(2)?].map(|n| n as usize);
        reader.take(8)?;
        let local = reader.number(4)? as usize;
        let name = String::from_utf8_lossy(reader.take(name)?).into_owned();
        reader.take(extra + comment)?;
        if method != 0 {
            return Err(format!("'{name}' in the archive is compressed"));
        }
        let mut inside = Reader {
            bytes,
            at: local + 26,
        };
        let skip = (inside.number(2)? + inside.number(2)?) as usize;
        inside.take(skip)?;
        files.insert(name, inside.take(size)?);
    }
    Ok(files)
}

/// Looks through the table, and tables within it, for tensors.
fn tensors(table: &Value, storages: &HashMap<String, &[u8]>) -> Result<Tensors, String> {
    let Value::Table(entries) = table else {
        return Err("it holds no table of tensors".to_owned());
    };
    let mut found = Tensors::new();
    for (name, value) in entries {
        match (name, value) {
            (Value::Text(name), Value::Tensor(tensor)) if tensor.storage.kind == FLOAT => {
                let read = tensor.read(storages);
                found.insert(name.clone(), read.map_err(|e| format!("'{name}': {e}"))?);
            }
            (_, Value::Table(_)) if found.is_empty() => {
                // {"state_dict": …} and the like.
                if let Ok(inside) = tensors(value, storages) {
                    found = inside;
                }
            }
            _ => {}
        }
    }
    if found.is_empty() {
        return Err("it holds no tensors of 32-bit floats".to_owned());
    }
    Ok(found)
}

const FLOAT: &str = "torch FloatStorage";

/// Bytes a number, by storage, where they are not four.
fn storages_of(table: &Value) -> HashMap<String, usize> {
    let mut wide = HashMap::new();
    if let Value::Table(entries) = table {
        for (_, value) in entries {
            match value {
                Value::Tensor(tensor) => {
                    let width = match tensor.storage.kind.as_str() {
                        "torch DoubleStorage" | "torch LongStorage" => 8,
                        "torch HalfStorage" | "torch BFloat16Storage" | "torch ShortStorage" => 2,
                        "torch ByteStorage" | "torch CharStorage" | "torch BoolStorage" => 1,
                        _ => 4,
                    };
                    wide.insert(tensor.storage.key.clone(), width);
                }
                Value::Table(_) => wide.extend(storages_of(value)),
                _ => {}
            }
        }
    }
    wide
}

#[derive(Debug, Clone, PartialEq)]
struct Storage {
    kind: String,
    key: String,
}

#[derive(Debug, Clone, PartialEq)]
struct StoredTensor {
    storage: Storage,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl StoredTensor {
    fn read(&self, storages: &HashMap<String, &[u8]>) -> Result<WeightsTensor, String> {
        let data = storages
            .get(&self.storage.key)
            .ok_or("its numbers are missing")?;
        let numbers = data.as_chunks::<4>().0;
        let too_long = || "it reaches beyond its numbers".to_owned();
        let count = self
            .shape
            .iter()
            .try_fold(1_usize, |count, side| count.checked_mul(*side))
            .filter(|count| *count <= numbers.len())
            .ok_or_else(too_long)?;
        if self.strides.len() != self.shape.len() {
            return Err("its shape and its strides differ".to_owned());
        }
        let mut values = Vec::with_capacity(count);
        for index in 0..count {
            let (mut rest, mut at) = (index, self.offset);
            for (side, stride) in self.shape.iter().zip(&self.strides).rev() {
                at = at.saturating_add(rest % side * stride);
                rest /= side;
            }
            let bytes = numbers.get(at).ok_or_else(too_long)?;
            values.push(f32::from_le_bytes(*bytes));
        }
        Ok(WeightsTensor {
            shape: self.shape.clone(),
            values,
        })
    }
}

/// What a pickle's instructions work on.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Nothing,
    Number(i64),
    /// Little-endian, longer than eight bytes.
    Long(Vec<u8>),
    Text(String),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Table(Vec<(Value, Value)>),
    Name(String),
    Storage(Storage),
    Tensor(StoredTensor),
    Mark,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        self.at += count.min(self.bytes.len());
        taken.ok_or_else(|| "it is cut off".to_owned())
    }

    /// Little-endian without sign.
    fn number(&mut self, bytes: usize) -> Result<u64, String> {
        let bytes = self.take(bytes)?;
        Ok(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    fn text(&mut self, length: usize) -> Result<String, String> {
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|&b| b == b'\n');
        let line = self.text(end.ok_or("it is cut off")?)?;
        self.take(1)?;
        Ok(line)
    }
}

#[derive(Default)]
struct Stack(Vec<Value>);

impl Stack {
    fn push(&mut self, value: Value) {
        self.0.push(value);
    }

    fn pop(&mut self) -> Result<Value, String> {
        self.0
            .pop()
            .ok_or_else(|| "its instructions do not fit".to_owned())
    }

    /// Everything above the last mark.
    fn since_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.0.iter().rposition(|value| *value == Value::Mark);
        let above = self.0.split_off(mark.ok_or("its instructions do not fit")?);
        Ok(above.into_iter().skip(1).collect())
    }
}

/// Follows one pickle to its end.
fn unpickle(reader: &mut Reader) -> Result<Value, String> {
    let mut stack = Stack::default();
    let mut memo: HashMap<u64, Value> = HashMap::new();
    loop {
        let instruction = reader.number(1)? as u8;
        match instruction {
            0x80 => drop(reader.take(1)?),
            0x95 => drop(reader.take(8)?),
            b'.' => return stack.pop(),
            b'(' => stack.push(Value::Mark),
            b'}' => stack.push(Value::Table(Vec::new())),
            b']' => stack.push(Value::List(Vec::new())),
            b')' => stack.push(Value::Tuple(Vec::new())),
            b'N' => stack.push(Value::Nothing),
            0x88 => stack.push(Value::Number(1)),
            0x89 => stack.push(Value::Number(0)),
            b'K' => stack.push(Value::Number(reader.number(1)? as i64)),
            b'M' => stack.push(Value::Number(reader.number(2)? as i64)),
            b'J' => stack.push(Value::Number(i64::from(reader.number(4)? as u32 as i32))),
            b'G' => drop(reader.take(8).map(|_| stack.push(Value::Nothing))?),
            0x8a => {
                let length = reader.number(1)? as usize;
                let bytes = reader.take(length)?;
                stack.push(whole_number(bytes));
            }
            b'X' => {
                let length = reader.number(4)? as usize;
                stack.push(Value::Text(reader.text(length)?));
            }
            0x8c => {
                let length = reader.number(1)? as usize;
                stack.push(Value::Text(reader.text(length)?));
            }
            b'c' => {
                let name = format!("{} {}", reader.line()?, reader.line()?);
                stack.push(Value::Name(name));
            }
            b'q' | b'r' => {
                let key = reader.number(if instruction == b'q' { 1 } else { 4 })?;
                let top = stack.pop()?;
                memo.insert(key, top.clone());
                stack.push(top);
            }
            0x94 => {
                let top = stack.pop()?;
                memo.insert(memo.len() as u64, top.clone());
                stack.push(top);
            }
            b'h' | b'j' => {
                let key = reader.number(if instruction == b'h' { 1 } else { 4 })?;
                let known = memo.get(&key).ok_or("its instructions do not fit")?;
                stack.push(known.clone());
            }
            b't' => {
                let items = stack.since_mark()?;
                stack.push(Value::Tuple(items));
            }
            0x85..=0x87 => {
                let count = usize::from(instruction - 0x84);
                let mut items = (0..count)
                    .map(|_| stack.pop())
                    .collect::<Result<Vec<_>, _>>()?;
                items.reverse();
                stack.push(Value::Tuple(items));
            }
            b'e' | b'a' => {
                let items = match instruction {
                    b'e' => stack.since_mark()?,
                    _ => vec![stack.pop()?],
                };
                if let Some(Value::List(list)) = stack.0.last_mut() {
                    list.extend(items);
                }
            }
            b'u' | b's' => {
                let items = if instruction == b'u' {
                    stack.since_mark()?
                } else {
                    let value = stack.pop()?;
                    vec![stack.pop()?, value]
                };
                if let Some(Value::Table(table)) = stack.0.last_mut() {
                    let (pairs, _) = items.as_chunks::<2>();
                    table.extend(pairs.iter().cloned().map(|[key, value]| (key, value)));
                }
            }
            // A table's further attributes (versions of the layers).
            b'b' => drop(stack.pop()?),
            b'Q' => {
                let id = stack.pop()?;
                stack.push(storage(&id)?);
            }
            b'R' => {
                let (arguments, called) = (stack.pop()?, stack.pop()?);
                stack.push(built(&called, &arguments)?);
            }
            other => return Err(format!("its instruction {other:#04x} is unknown")),
        }
    }
}

fn whole_number(bytes: &[u8]) -> Value {
    if bytes.len() > 8 {
        return Value::Long(bytes.to_vec());
    }
    let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    let number = bytes.iter().rev();
    Value::Number(number.fold(start, |n: i64, &b| n << 8 | i64::from(b)))
}

/// ("storage", kind, key, place, length, …)
fn storage(id: &Value) -> Result<Value, String> {
    if let Value::Tuple(parts) = id
        && let [Value::Text(word), Value::Name(kind), Value::Text(key), ..] = parts.as_slice()
        && word == "storage"
    {
        return Ok(Value::Storage(Storage {
            kind: kind.clone(),
            key: key.clone(),
        }));
    }
    Err("a storage is described in an unknown way".to_owned())
}

fn built(called: &Value, arguments: &Value) -> Result<Value, String> {
    let (Value::Name(name), Value::Tuple(arguments)) = (called, arguments) else {
        return Err("its instructions do not fit".to_owned());
    };
    match (name.as_str(), arguments.as_slice()) {
        ("collections OrderedDict", _) => Ok(Value::Table(Vec::new())),
        (
            "torch._utils _rebuild_tensor_v2",
            [
                Value::Storage(storage),
                Value::Number(offset),
                Value::Tuple(shape),
                Value::Tuple(strides),
                ..,
            ],
        ) => {
            let whole = |values: &[Value]| {
                let whole = values.iter().map(|value| match value {
                    Value::Number(n) => usize::try_from(*n).ok(),
                    _ => None,
                });
                whole.collect::<Option<Vec<_>>>()
            };
            let described = || "a tensor is described in an unknown way".to_owned();
            Ok(Value::Tensor(StoredTensor {
                storage: storage.clone(),
                offset: usize::try_from(*offset).ok().ok_or_else(described)?,
                shape: whole(shape).ok_or_else(described)?,
                strides: whole(strides).ok_or_else(described)?,
            }))
        }
        ("torch._utils _rebuild_parameter", [tensor, ..]) => Ok(tensor.clone()),
        (other, _) => Err(format!(
            "it wants to run '{other}', which Onset does not do"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_keep_their_sign() {
        assert_eq!(whole_number(&[0xff]), Value::Number(-1));
        assert_eq!(whole_number(&[0x00, 0x01]), Value::Number(256));
        assert_eq!(whole_number(&[]), Value::Number(0));
    }

    #[test]
    fn a_pickle_that_would_run_something_is_refused() {
        let pickle = b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.";
        let refused = unpickle(&mut Reader {
            bytes: pickle,
            at: 0,
        });
        assert!(refused.unwrap_err().contains("'os system'"));
    }

    #[test]
    fn files_of_another_kind_and_cut_files_are_refused_without_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pth");
        for bytes in [
            &b"hello"[..],
            b"PK\x03\x04",
            b"\x80\x02.",
            b"PK\x05\x06PK\x03\x04",
        ] {
            std::fs::write(&path, bytes).unwrap();
            let text = read_checkpoint(&path).unwrap_err().to_string();
            assert!(text.ends_with("x.pth"), "{text}");
        }
    }
}
