/**
 * A function of one text whose answer depends on nothing else, with its last answers kept: within one login the same is
 * asked of the same number several times. `most` answers are kept; then it begins anew, so a flood of texts costs no
 * memory. Answers are shared: nobody may change them.
 */
export function keeping<T>(of: (text: string) => T, most = 500): (text: string) => T {
  const kept = new Map<string, { answer: T }>();
  return (text) => {
    const known = kept.get(text);
    if (known) return known.answer;
    const answer = of(text);
    if (kept.size >= most) kept.clear();
    kept.set(text, { answer });
    return answer;
  };
}
