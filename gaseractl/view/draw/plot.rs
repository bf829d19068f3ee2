//! The way of one gas over the run: a line for the channel of the newest result, dots for all others.

use std::time::Duration;

use gasera::domain::Channel;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Paragraph};

use super::theme::Theme;
use crate::view::screen::Screen;
use crate::view::screen::history::PlotPoint;
use crate::view::words;

/// So much is shown at least, seconds.
const SHORTEST: f64 = 60.0;

/// Below this there is no place for axes.
const SMALLEST: (u16, u16) = (20, 3);

pub fn title(screen: &Screen, gas: &str) -> String {
    match newest_channel(screen) {
        Some(channel) => format!(" {gas}, the line is channel {channel} "),
        None => format!(" {gas} "),
    }
}

/// That of the newest result of which it is known.
fn newest_channel(screen: &Screen) -> Option<Channel> {
    screen.history.by_channel().into_iter().filter(|data| data.channel.is_some()).max_by_key(|data| data.seq)?.channel
}

pub fn draw(frame: &mut Frame, screen: &Screen, gas: &str, now: Duration, area: Rect, theme: Theme) {
    let points = screen.history.trace(gas);
    let now = screen.model.now(now).as_seconds();
    let (Some(first), true) = (points.first(), area.width >= SMALLEST.0 && area.height >= SMALLEST.1) else {
        return frame.render_widget(Paragraph::new(Span::styled("no value", theme.dim())), area);
    };
    let span = (now - first.at).max(SHORTEST);
    let (low, high) = range(&points);
    let channel = newest_channel(screen);
    let (line, dots): (Vec<PlotPoint>, Vec<PlotPoint>) =
        points.iter().partition(|point| point.counts && point.channel.is_some() && point.channel == channel);
    let [line, dots] =
        [line, dots].map(|points| points.iter().map(|point| (point.at - now, point.ppm)).collect::<Vec<_>>());
    let chart = Chart::new(vec![
        set(&dots, GraphType::Scatter, theme.dim()),
        set(&line, GraphType::Line, theme.busy()),
        set(&line, GraphType::Scatter, theme.busy()),
    ]);
    let chart = chart
        .x_axis(axis([-span, 0.0], &[format!("-{}", words::seconds(span)), "now".into()], theme))
        .y_axis(axis([low, high], &heights(low, high, area.height), theme))
        .legend_position(None);
    frame.render_widget(chart, area);
}

fn set(points: &[(f64, f64)], kind: GraphType, style: Style) -> Dataset<'_> {
    Dataset::default().marker(Marker::Braille).graph_type(kind).style(style).data(points)
}

fn axis(bounds: [f64; 2], labels: &[String], theme: Theme) -> Axis<'static> {
    let labels: Vec<Line> = labels.iter().map(|label| Line::styled(label.clone(), theme.dim())).collect();
    Axis::default().style(theme.dim()).bounds(bounds).labels(labels)
}

/// Two labels, or three if there is room for one between them.
fn heights(low: f64, high: f64, rows: u16) -> Vec<String> {
    let middle = f64::midpoint(low, high);
    let values = if rows < 6 { vec![low, high] } else { vec![low, middle, high] };
    values.into_iter().map(|value| words::ppm(Some(value))).collect()
}

/// From somewhat below the lowest to somewhat above the highest.
fn range(points: &[PlotPoint]) -> (f64, f64) {
    let low = points.iter().map(|point| point.ppm).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|point| point.ppm).fold(f64::NEG_INFINITY, f64::max);
    let margin = ((high - low) * 0.05).max(high.abs().max(low.abs()) * 0.005).max(1e-4);
    (low - margin, high + margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ppm: f64) -> PlotPoint {
        PlotPoint { at: 0.0, ppm, channel: None, counts: true }
    }

    #[test]
    fn the_range_is_never_empty() {
        for points in [vec![at(0.0)], vec![at(412.0)], vec![at(-3.0), at(-3.0)]] {
            let (low, high) = range(&points);
            assert!(low < points[0].ppm && points[0].ppm < high, "{low} {high}");
        }
        assert_eq!(range(&[at(0.0), at(100.0)]), (-5.0, 105.0));
    }
}
