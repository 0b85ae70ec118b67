//! Onset sees micro-expressions as they happen.
//!
//! A webcam, a video or a folder of images goes in on a capture thread; out come
//! macro- and micro-expression candidates for a person to check, in a window or
//! in files. This page is the map of the house.
//!
//! # Data path
//! ```text
//! Frame → FaceTrack → WindowMotion → ScoreSample → SpottedInterval → Recording → panels, files
//! media    face        motion         model         spotting          timeline    app, project
//! ```
//!
//! # Rooms, in data order
//! A room imports only what stands above it (`tests/it/architecture.rs` holds the list).
//!
//! | room | what lives there |
//! |---|---|
//! | [`base`] | time on the recording's clock, geometry, planes, mailboxes, notices |
//! | [`facs`] | action units, sides, intensities, emotion label sets |
//! | [`gpu`] | the one wgpu device as a value, kernels, read-back, the card's clock |
//! | [`nn`] | where networks run, how those that are only asked convolve and pool on the processor, their input from a buffer on the card, weights files and their cards |
//! | [`media`] | video files, image folders, cameras, the drawn face, colour conversion; queue, capture thread, player; small pictures of given frames and how two differ |
//! | [`face`] | boxes, 68 landmarks, tracking, the held crop, regions, pose, blink |
//! | [`motion`] | which frames make a window, TV-L1 flow, the flow of coarse cells by least squares, strain, LED band-pass, ROI maps, magnification; `cpu` and `gpu` hold the two sides, `engine` is their front |
//! | [`model`] | one file a network: SOFTNet and MotionTCN for spotting; STSTNet, Off-ApexNet, SSSNet, SSSN/DSSN and AU-Flow on flow, LED-SSSNet and LED-ResNet-18 on a few frames, TSDN, UAMRN and MoExt on onset and apex; flow images and motion sequences as networks read them |
//! | [`explain`] | what lights a network up (integrated gradients, Grad-CAM), where that lies on the face, how unsure several opinions are, whether probabilities hold (calibration) |
//! | [`spotting`] | scores to intervals: offline, live, and as the published code does it |
//! | [`recognition`] | the motion from a spotted onset to its apex, and what the networks say of it: action units, a class, how sure; a second look by other networks |
//! | [`timeline`] | what the analysis tells, the recording that keeps it, what coders say of it, min–max drawing |
//! | [`metrics`] | spotting, recognition, action units, spot-then-recognise, apexes, how far two coders agree |
//! | [`session`] | [`session::pipeline::Pipeline`]: the analysis itself, and its threads; `device` chooses the side |
//! | [`project`] | the project file, which holds the whole analysis ([`project::kept`]) and the coding of one recording; result folders and the printed timeline; annotations as tables, for ELAN, the challenges and other programs; the report; clips ([`project::clip`]); recordings analysed into such folders one after another, with nobody watching |
//! | [`dataset`] | labelled data on disk: drawn recordings, flow images, the licensed databases; splits by subject |
//! | [`training`] | what the studio films, the trainers, checkpoints, evaluation by protocol |
//! | [`cli`] | one file a subcommand |
//! | [`app`] | the window: a room to go through candidates, one to code in, one for a camera and one for a queue of recordings, with keys and colours of one's own; every change of the coding goes to the project file on the thread "project" |
//!
//! # Invariants
//! * [`session::pipeline::Pipeline`] has no thread or channel of its own and no clock
//!   that results depend on: the command line calls it directly, the window wraps it
//!   in a thread.
//! * It does not matter for a score how many windows are measured together.
//! * Every value has one owning thread; results reach the window by a loss-free
//!   batch ([`base::Mailbox`]) and a newest-only slot ([`base::Latest`]).
//! * Files never lose a frame, cameras drop and count: one decision, in `media/queue.rs`.
//! * Times come from the container or the driver. Frames count from 0.
//! * Both frames of a flow window are cropped with one transform.
//! * On the processor the same input gives the same bytes, whatever the number of
//!   threads; on a card the same to a tolerance (`tests/it/gpu_flow.rs`).
//! * A kernel has one name everywhere: shader, module, CPU twin, label, test.
//!
//! # Two sides, one result
//! Everything that costs time runs on the processor or on the graphics card. A
//! recording is analysed on one side as a whole ([`session::device`]): on the card a
//! frame's crop goes up, flow, regions and the networks' input stay there
//! ([`motion::engine`], [`nn::upload`]), and 160 bytes a window and its score come
//! back. `auto` measures both sides once per machine; a software adapter never wins.
//! `compat` flow is OpenCV's to the last bit on the processor only.
//!
//! The window's device is the analysis's too; `onset view --own-device` gives the
//! analysis one of its own. Measured with `--measure 30` on a software adapter only
//! (2026-11-20, two threads, llvmpipe): at most 1.03 ms of window code in 9 repaints
//! and 0.54 analysed frames a second with the shared device, 1.07 ms in 7 repaints and
//! 0.51 with two. That is no difference, so one is kept, which saves the copy between
//! them and the second set of kernels; a real card is still to be measured.
//!
//! Read `session/pipeline.rs` first, then the rooms it calls from top to bottom.

pub mod app;
pub mod base;
pub mod cli;
pub mod dataset;
pub mod explain;
pub mod face;
pub mod facs;
pub mod gpu;
pub mod media;
pub mod metrics;
pub mod model;
pub mod motion;
pub mod nn;
pub mod project;
pub mod recognition;
pub mod session;
pub mod spotting;
pub mod timeline;
pub mod training;
