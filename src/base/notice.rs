//! What a person is told: a sentence, how grave it is, and the time it concerns.

use serde::{Deserialize, Serialize};

use super::TimeSpan;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    #[default]
    Info,
    Warning,
    Error,
}

/// Says what could not be done, why, and the remedy, the path last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    pub severity: Severity,
    pub text: String,
    /// The stretch of the recording it concerns; `None` for the whole of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<TimeSpan>,
}

impl Notice {
    #[must_use]
    pub fn info(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Info,
            text: text.into(),
            span: None,
        }
    }

    #[must_use]
    pub fn warning(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            text: text.into(),
            span: None,
        }
    }

    #[must_use]
    pub fn error(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            text: text.into(),
            span: None,
        }
    }

    #[must_use]
    pub fn over(mut self, span: TimeSpan) -> Self {
        self.span = Some(span);
        self
    }
}
