//! The colours of the window, by theme and by who looks.
//!
//! Standard takes the tracks' hues from Okabe and Ito. The others change what means
//! something (accent, warnings, errors, macro, micro, human): they were found by a search
//! near Standard's for colours that stay apart in the eyes that they are for, and are measured
//! so in `palette/dichromats.rs`.

#![allow(
    clippy::disallowed_methods,
    reason = "this file and theme.rs are the ones that name colours"
)]

#[cfg(test)]
mod dichromats;

use egui::Color32;
use serde::{Deserialize, Serialize};

use super::theme;
use crate::base::Severity;
use crate::spotting::ExpressionKind;

/// For whose eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colours {
    #[default]
    Standard,
    /// Protanopia and deuteranopia: red and green look alike.
    RedGreen,
    /// Tritanopia: blue and green look alike, and yellow and pink.
    BlueYellow,
    HighContrast,
}

impl Colours {
    pub const ALL: [Self; 4] = [
        Self::Standard,
        Self::RedGreen,
        Self::BlueYellow,
        Self::HighContrast,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::RedGreen => "Deuteranopia, protanopia",
            Self::BlueYellow => "Tritanopia",
            Self::HighContrast => "High contrast",
        }
    }
}

/// The colours of one theme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Palette {
    /// Around the pictures: never bright, so that they are judged by themselves.
    pub surround: Color32,
    /// Under the curves and in fields.
    pub ground: Color32,
    pub panel: Color32,
    /// Buttons, fields, the selected row.
    pub raised: Color32,
    pub hovered: Color32,
    pub hairline: Color32,
    pub text: Color32,
    pub weak: Color32,
    /// What can be acted on, and the cursor.
    pub accent: Color32,
    /// On the accent.
    pub on_accent: Color32,
    /// Behind accented text: what is chosen or switched on.
    pub chosen: Color32,
    pub amber: Color32,
    pub red: Color32,
    /// Macro-expressions: greenish.
    pub macro_track: Color32,
    /// Micro-expressions: purplish.
    pub micro_track: Color32,
    /// What a person says: yellowish.
    pub human: Color32,
    /// On it.
    pub on_human: Color32,
    /// What was not measured.
    pub shade: Color32,
    /// Behind text that stands on a picture.
    pub scrim: Color32,
}

const fn grey(v: u8) -> Color32 {
    Color32::from_gray(v)
}

const DARK: Palette = Palette {
    surround: grey(0x12),
    ground: grey(0x12),
    panel: grey(0x1c),
    raised: grey(0x2c),
    hovered: grey(0x38),
    hairline: grey(0x34),
    text: grey(0xe4),
    weak: grey(0xa4),
    accent: Color32::from_rgb(0x56, 0xb4, 0xe9),
    on_accent: grey(0x10),
    chosen: Color32::from_rgb(0x1b, 0x36, 0x47),
    amber: Color32::from_rgb(0xe6, 0x9f, 0x00),
    red: Color32::from_rgb(0xff, 0x75, 0x69),
    macro_track: Color32::from_rgb(0x1f, 0xb8, 0x8c),
    micro_track: Color32::from_rgb(0xd9, 0x8b, 0xb6),
    human: Color32::from_rgb(0xe3, 0xd7, 0x4a),
    on_human: grey(0x10),
    shade: grey(0x26),
    scrim: Color32::from_rgb(0x12, 0x12, 0x12),
};

const LIGHT: Palette = Palette {
    surround: grey(0xe6),
    ground: grey(0xff),
    panel: grey(0xf5),
    raised: grey(0xe4),
    hovered: grey(0xd8),
    hairline: grey(0xd4),
    text: grey(0x1c),
    weak: grey(0x58),
    accent: Color32::from_rgb(0x00, 0x62, 0x9c),
    on_accent: grey(0xff),
    chosen: Color32::from_rgb(0xd3, 0xe7, 0xf4),
    amber: Color32::from_rgb(0x85, 0x55, 0x00),
    red: Color32::from_rgb(0xb0, 0x24, 0x1c),
    macro_track: Color32::from_rgb(0x00, 0x6b, 0x4e),
    micro_track: Color32::from_rgb(0x96, 0x38, 0x6c),
    human: Color32::from_rgb(0x6b, 0x5f, 0x00),
    on_human: grey(0xff),
    shade: grey(0xea),
    scrim: Color32::from_rgb(0x12, 0x12, 0x12),
};

/// Apart by lightness and by blue against yellow, which protanopes and deuteranopes see.
const RED_GREEN_DARK: Palette = Palette {
    accent: Color32::from_rgb(0x51, 0xbe, 0xfc),
    amber: Color32::from_rgb(0xdd, 0x97, 0x02),
    red: Color32::from_rgb(0xf2, 0x69, 0x5f),
    macro_track: Color32::from_rgb(0x53, 0xd1, 0x99),
    micro_track: Color32::from_rgb(0xc7, 0x7d, 0xa9),
    human: Color32::from_rgb(0xff, 0xf3, 0x6e),
    ..DARK
};

/// As [`RED_GREEN_DARK`].
const RED_GREEN_LIGHT: Palette = Palette {
    accent: Color32::from_rgb(0x19, 0x65, 0xaf),
    amber: Color32::from_rgb(0x50, 0x2c, 0x00),
    red: Color32::from_rgb(0x50, 0x00, 0x22),
    macro_track: Color32::from_rgb(0x38, 0x70, 0x49),
    micro_track: Color32::from_rgb(0x8c, 0x35, 0x6d),
    human: Color32::from_rgb(0x6f, 0x63, 0x02),
    ..LIGHT
};

/// Apart by lightness and by red against green, which tritanopes see.
const BLUE_YELLOW_DARK: Palette = Palette {
    accent: Color32::from_rgb(0x0f, 0xc2, 0xff),
    amber: Color32::from_rgb(0xff, 0xca, 0x3a),
    red: Color32::from_rgb(0xfe, 0x60, 0x5a),
    macro_track: Color32::from_rgb(0x5e, 0xa4, 0x78),
    micro_track: Color32::from_rgb(0xdd, 0x71, 0xa2),
    human: Color32::from_rgb(0xe0, 0xf7, 0x6e),
    ..DARK
};

/// As [`BLUE_YELLOW_DARK`].
const BLUE_YELLOW_LIGHT: Palette = Palette {
    accent: Color32::from_rgb(0x00, 0x67, 0xa1),
    amber: Color32::from_rgb(0x96, 0x54, 0x10),
    red: Color32::from_rgb(0xaf, 0x23, 0x1b),
    macro_track: Color32::from_rgb(0x00, 0x3a, 0x1e),
    micro_track: Color32::from_rgb(0x50, 0x12, 0x3f),
    human: Color32::from_rgb(0x64, 0x5e, 0x00),
    ..LIGHT
};

/// Black and white surfaces, everything that means something at least 7:1 on them.
const HIGH_CONTRAST_DARK: Palette = Palette {
    surround: grey(0x00),
    ground: grey(0x00),
    panel: grey(0x0c),
    raised: grey(0x1e),
    hovered: grey(0x2c),
    hairline: grey(0x80),
    text: grey(0xff),
    weak: grey(0xd0),
    accent: Color32::from_rgb(0x6f, 0xac, 0xfd),
    amber: Color32::from_rgb(0xff, 0xc6, 0x19),
    red: Color32::from_rgb(0xff, 0x87, 0x73),
    macro_track: Color32::from_rgb(0x0a, 0xff, 0xd5),
    micro_track: Color32::from_rgb(0xb9, 0xa3, 0xcc),
    human: Color32::from_rgb(0xff, 0xfe, 0x85),
    on_accent: grey(0x00),
    chosen: Color32::from_rgb(0x00, 0x26, 0x4d),
    on_human: grey(0x00),
    shade: grey(0x16),
    scrim: grey(0x00),
};

/// As [`HIGH_CONTRAST_DARK`].
const HIGH_CONTRAST_LIGHT: Palette = Palette {
    surround: grey(0xff),
    ground: grey(0xff),
    panel: grey(0xff),
    raised: grey(0xf0),
    hovered: grey(0xe4),
    hairline: grey(0x70),
    text: grey(0x00),
    weak: grey(0x30),
    accent: Color32::from_rgb(0x06, 0x23, 0x4a),
    amber: Color32::from_rgb(0x46, 0x24, 0x00),
    red: Color32::from_rgb(0x81, 0x00, 0x39),
    macro_track: Color32::from_rgb(0x00, 0x59, 0x56),
    micro_track: Color32::from_rgb(0x86, 0x26, 0x7e),
    human: Color32::from_rgb(0x57, 0x50, 0x00),
    on_accent: grey(0xff),
    chosen: Color32::from_rgb(0xd8, 0xe8, 0xff),
    on_human: grey(0xff),
    shade: grey(0xf4),
    scrim: grey(0x00),
};

impl Palette {
    #[must_use]
    pub const fn of(dark: bool, colours: Colours) -> Self {
        match (dark, colours) {
            (true, Colours::Standard) => DARK,
            (true, Colours::RedGreen) => RED_GREEN_DARK,
            (true, Colours::BlueYellow) => BLUE_YELLOW_DARK,
            (true, Colours::HighContrast) => HIGH_CONTRAST_DARK,
            (false, Colours::Standard) => LIGHT,
            (false, Colours::RedGreen) => RED_GREEN_LIGHT,
            (false, Colours::BlueYellow) => BLUE_YELLOW_LIGHT,
            (false, Colours::HighContrast) => HIGH_CONTRAST_LIGHT,
        }
    }

    #[must_use]
    pub fn current(ui: &egui::Ui) -> Self {
        Self::of(ui.visuals().dark_mode, theme::colours(ui.ctx()))
    }

    #[must_use]
    pub const fn track(&self, kind: ExpressionKind) -> Color32 {
        match kind {
            ExpressionKind::Macro => self.macro_track,
            ExpressionKind::Micro => self.micro_track,
        }
    }

    #[must_use]
    pub const fn severity(&self, severity: Severity) -> Color32 {
        match severity {
            Severity::Info => self.weak,
            Severity::Warning => self.amber,
            Severity::Error => self.red,
        }
    }
}
