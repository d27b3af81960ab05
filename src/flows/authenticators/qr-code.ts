/** Room around it that cameras need, in modules (ISO/IEC 18004, “quiet zone”). */
const quiet = 4;

/** A QR code as the path of an SVG: every run of dark modules is one rectangle. `size` counts the quiet zone in. */
export async function qrCode(content: string): Promise<{ size: number; path: string }> {
  const { default: qrcode } = await import('qrcode-generator');
  const code = qrcode(0, 'M');
  code.addData(content);
  code.make();
  const count = code.getModuleCount();
  let path = '';
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      let run = 0;
      while (column + run < count && code.isDark(row, column + run)) run++;
      if (run === 0) continue;
      path += `M${column + quiet} ${row + quiet}h${run}v1h-${run}z`;
      column += run;
    }
  }
  return { size: count + 2 * quiet, path };
}
