//! Several networks in one weights file: the tensors of member 0 under `0/`, of member 1
//! under `1/`, …

use super::parameters::Tensors;

/// More members than this are no ensemble of ours.
const MOST: usize = 64;

/// The tensors of all members, each under its number.
#[must_use]
pub fn joined(members: &[Tensors]) -> Tensors {
    let named = |(number, member): (usize, &Tensors)| {
        let tensors = member.iter();
        let named = tensors.map(move |(name, tensor)| (format!("{number}/{name}"), tensor.clone()));
        named.collect::<Vec<_>>()
    };
    members.iter().enumerate().flat_map(named).collect()
}

/// The tensors of `count` members out of one file's, where those named in `beside` belong
/// to none of them. A member whose tensors are not there is empty.
///
/// # Errors
/// Names a tensor that belongs to nothing.
pub fn parted(tensors: &Tensors, count: usize, beside: &[&str]) -> Result<Vec<Tensors>, String> {
    let mut members = vec![Tensors::new(); count];
    for (name, tensor) in tensors {
        let place = name.split_once('/');
        let place = place.and_then(|(number, rest)| Some((number.parse::<usize>().ok()?, rest)));
        match place {
            Some((number, rest)) if number < count => {
                members[number].insert(rest.to_owned(), tensor.clone());
            }
            _ if beside.contains(&name.as_str()) => {}
            _ => return Err(format!("the tensor '{name}' does not belong to it")),
        }
    }
    Ok(members)
}

/// The tensors of all members of a file whose card does not say how many there are.
///
/// # Errors
/// Names a tensor that belongs to nothing, or a number that no member has.
pub fn all(tensors: &Tensors) -> Result<Vec<Tensors>, String> {
    let number = |name: &String| name.split_once('/')?.0.parse::<usize>().ok();
    let last = tensors.keys().filter_map(number).max().unwrap_or(0);
    if last >= MOST {
        return Err(format!("it has a member number {last}"));
    }
    parted(tensors, last + 1, &[])
}

/// How many members a card says there are.
///
/// # Errors
/// When that is no number of 1 to 64.
pub fn counted(text: &str) -> Result<usize, String> {
    let count = text.parse().ok();
    count
        .filter(|count| (1..=MOST).contains(count))
        .ok_or_else(|| format!("its card says members = '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::weights::WeightsTensor;

    #[test]
    fn members_come_back_and_what_belongs_to_none_is_named() {
        let member = |value: f32| {
            let tensor = WeightsTensor {
                shape: vec![1],
                values: vec![value],
            };
            Tensors::from([("a.weight".to_owned(), tensor)])
        };
        let members = [member(1.0), member(2.0)];
        let mut file = joined(&members);
        assert_eq!(parted(&file, 2, &[]).unwrap(), members);
        assert!(parted(&file, 1, &[]).unwrap_err().contains("'1/a.weight'"));
        assert_eq!(all(&file).unwrap(), members);
        let far = joined(&[member(3.0)])["0/a.weight"].clone();
        let far = Tensors::from([(format!("{}/a.weight", usize::MAX), far)]);
        assert!(all(&far).unwrap_err().contains("member number"));
        file.insert("input.mean".to_owned(), members[0]["a.weight"].clone());
        assert!(parted(&file, 2, &[]).is_err());
        assert_eq!(parted(&file, 2, &["input.mean"]).unwrap(), members);
        for (text, count) in [("1", Ok(1)), ("64", Ok(64))] {
            assert_eq!(counted(text), count);
        }
        for wrong in ["0", "65", "x", ""] {
            assert!(counted(wrong).is_err(), "{wrong}");
        }
    }
}
