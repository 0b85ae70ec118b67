//! What a network's card says of its sizes and ways, setting by setting.

use std::collections::BTreeMap;

/// A card's settings.
pub(super) type Settings = BTreeMap<String, String>;

/// What a card says under a name.
///
/// # Errors
/// When it says nothing.
pub(super) fn setting<'a>(settings: &'a Settings, name: &str) -> Result<&'a str, String> {
    let found = settings.get(name).map(String::as_str);
    found.ok_or_else(|| format!("its card does not say '{name}'"))
}

/// The number that a card says under a name.
///
/// # Errors
/// When it says nothing, or no whole number.
pub(super) fn number(settings: &Settings, name: &str) -> Result<usize, String> {
    let value = setting(settings, name)?;
    value.parse().ok().ok_or_else(|| unknown(name, value))
}

/// Whether a card says yes or no under a name.
///
/// # Errors
/// When it says neither.
pub(super) fn answer(settings: &Settings, name: &str) -> Result<bool, String> {
    match setting(settings, name)? {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(unknown(name, other)),
    }
}

/// Why a setting cannot be used.
pub(super) fn unknown(name: &str, value: &str) -> String {
    format!("its card says {name} = '{value}'")
}
