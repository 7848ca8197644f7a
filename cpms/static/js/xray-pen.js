// Puts down the points of a mark: pull from one to the next, or tap one after the other. Points are the picture's;
// `near` says whether the pointer came back to where it was pressed.
import { pointsOf } from "./xray-marks.js";

export function pen(done) {
  let mark = null; // its last point follows the pointer
  let isFirst = false;

  return {
    get mark() { return mark; },
    down(kind, point) {
      if (mark && mark.kind !== kind) mark = null;
      isFirst = !mark;
      if (!mark) mark = { kind, points: pointsOf(kind) === 1 ? [point] : [point, point] };
      else mark.points[mark.points.length - 1] = point;
    },
    move(point) {
      if (mark && pointsOf(mark.kind) > 1) mark.points[mark.points.length - 1] = point;
    },
    up(point, near) {
      if (!mark) return;
      const most = pointsOf(mark.kind);
      if (most > 1 && isFirst && near) { isFirst = false; return; } // a tap: the next one comes
      isFirst = false;
      if (most > 1 && same(mark.points.at(-1), mark.points.at(-2))) return;
      if (mark.points.length < most) { mark.points.push(point); return; }
      const whole = mark;
      mark = null;
      done(whole);
    },
    cancel() { mark = null; },
  };
}

const same = ([ax, ay], [bx, by]) => ax === bx && ay === by;
