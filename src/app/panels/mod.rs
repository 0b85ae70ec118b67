//! The panels: each reads the state, draws, and asks for commands.

pub mod about;
pub mod attention;
pub mod candidates;
pub mod coding;
pub mod drop_target;
pub mod empty;
pub mod film_strip;
pub mod help;
pub mod hints;
pub mod keys;
pub mod live;
pub mod magnify;
pub mod moved;
pub mod notices;
pub mod overview;
pub mod picture;
pub mod second_look;
pub mod settings;
pub mod sheet;
pub mod source;
pub mod status_strip;
pub mod tiers;
pub mod timeline;
pub mod timeline_input;
pub mod top_bar;
pub mod transport;
