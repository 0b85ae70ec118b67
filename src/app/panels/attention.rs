//! Where the network looked, drawn over the original, with its legend.

use egui::{
    Mesh, Pos2, Rect, Role, Sense, Shape, Stroke, TextureHandle, Ui, WidgetInfo, pos2, vec2,
};

use super::legend::{note, ramp};
use crate::app::attention::{self, Attention};
use crate::app::review::Review;
use crate::app::theme::{self, over_picture};
use crate::base::Point;
use crate::motion::heat::Heat;

const MEANING: &str = "Integrated gradients: the places whose motion spoke most for this \
                       action unit, beyond noise. It tells what the network used, not \
                       whether it is right. The thin frame is all that it sees.";

pub(super) fn show(
    ui: &Ui,
    (review, heat): (&Review, Heat),
    texture: Option<&TextureHandle>,
    rect: Rect,
    at: impl Fn(Point) -> Pos2,
) {
    let painter = ui.painter().with_clip_rect(rect);
    let text = match (attention::of(review), texture) {
        (
            Attention::Laid {
                unit,
                stands_out,
                over_secs,
                corners,
            },
            Some(texture),
        ) => {
            let mut mesh = Mesh::with_texture(texture.id());
            let places = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
            for (corner, (u, v)) in corners.into_iter().zip(places) {
                mesh.vertices.push(egui::epaint::Vertex {
                    pos: at(corner),
                    uv: pos2(u, v),
                    color: over_picture::TEXT,
                });
            }
            mesh.add_triangle(0, 1, 2);
            mesh.add_triangle(0, 2, 3);
            let edge: Vec<Pos2> = mesh.vertices.iter().map(|v| v.pos).collect();
            painter.add(Shape::mesh(mesh));
            painter.add(Shape::closed_line(
                edge,
                Stroke::new(1.0, over_picture::EDGE),
            ));
            let over = over_secs.map_or_else(String::new, |secs| format!(", over {secs:.2} s"));
            let unit = match stands_out {
                true => format!("AU {}", unit.number()),
                false => format!("AU {}, which does not stand out", unit.number()),
            };
            let text = format!("{unit}: where the network looks{over}");
            ramp(&painter, rect, heat, &text);
            text
        }
        (Attention::Laid { .. }, None) => return,
        (Attention::Absent(why), _) => {
            note(&painter, rect.left_bottom() + vec2(0.0, -theme::GAP), &why);
            why
        }
    };
    let legend = Rect::from_min_max(
        rect.left_bottom() - vec2(0.0, 40.0),
        pos2(rect.center().x, rect.bottom()),
    );
    let response = ui.interact(legend, ui.scope_id().with("attention"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &text));
    response.on_hover_text(MEANING);
}
