"""What is in deploy/prometheus and deploy/grafana: every alert fires and is silent when it should (operations, section 5).

alerts_test.yml says so; that it would notice a rule that is wrong is shown by breaking each part of each rule.
Whether a broker serves what they use is asked in test_metrics.py.
"""
import copy
import math
import re
import tempfile
import unittest

import yaml

from support import metrics

COMPARISON = re.compile(r"(==|[<>]=?) (\d+(?:\.\d+)?)((?: \* \d+)*)")


def looser(sign, number):
    """The same comparison for half as much again; one with 0 for anything."""
    if sign == "==" or number == 0:
        return "< 1e18" if sign == "<" else ">= 0"
    return "%s %.10f" % (sign, number * 1.5 if sign == "<" else number / 1.5)


def tighter(sign, number):
    return "%s %.10f" % (sign, number / 2 if sign == "<" else number * 2)


def mutants(rule):
    """(what is wrong, the expression, `for`): each rule as it might be by mistake."""
    expression, wait = rule["expr"], rule.get("for")
    yield "never", "vector(0) > 1", wait
    for found in COMPARISON.finditer(expression):
        sign, number = found[1], math.prod(float(part) for part in (found[2] + found[3]).split(" * "))
        before, after = expression[:found.start()], expression[found.end():]
        yield "looser " + found[0], before + looser(sign, number) + after, wait
        if sign != "==" and number:
            yield "tighter " + found[0], before + tighter(sign, number) + after, wait
    if re.search("{[^}]*}", expression):
        yield "of any labels", re.sub("{[^}]*}", "", expression), wait
    if wait:
        yield "at once", expression, None
        yield "late", expression, "%dm" % (2 * int(wait.removesuffix("m")))


class Alerts(unittest.TestCase):
    def agreements(self, cases):
        """What promtool says of each [(rules, tests)]: True if they agree."""
        with tempfile.TemporaryDirectory(prefix="stampede-alerts-") as folder:
            names = []
            for number, (some, tests) in enumerate(cases):
                names.append("test-%d.yml" % number)
                files = {"rules-%d.yml" % number: {"groups": [{"name": "g", "rules": some}]},
                         names[-1]: {**tests, "rule_files": ["rules-%d.yml" % number]}}
                for name, content in files.items():
                    with open(folder + "/" + name, "w", encoding="utf-8") as out:
                        yaml.safe_dump(content, out)
            said = metrics.promtool("test", "rules", *names, folder=folder)[1]
        found = re.findall(r"^Unit Testing:  (\S+)\n(?:  (SUCCESS))?", said, re.MULTILINE)
        self.assertEqual([name for name, _ in found], names)
        agreed = [bool(success) for _, success in found]
        self.assertEqual(said.count("FAILED:\n    alertname: "), agreed.count(False), "rules that cannot be read")
        return agreed

    def test_O_5_alert_rules_are_good_and_fire_as_they_should(self):
        code, said = metrics.promtool("check", "rules", "alerts.yml", folder=metrics.ALERTS)
        self.assertEqual(code, 0, said)
        code, said = metrics.promtool("test", "rules", "alerts_test.yml", folder=metrics.ALERTS)
        self.assertEqual(code, 0, said)

    def test_O_5_a_rule_that_is_wrong_anywhere_would_be_found(self):
        tests = yaml.safe_load((metrics.ALERTS / "alerts_test.yml").read_text(encoding="utf-8"))
        names, cases = [], []
        for rule in metrics.rules():
            own = {**tests, "tests": [test for test in tests["tests"] if any(
                asked["alertname"] == rule["alert"] for asked in test["alert_rule_test"])]}
            self.assertTrue(own["tests"], "no test of " + rule["alert"])
            for what, expression, wait in [("as it is", rule["expr"], rule.get("for")), *mutants(rule)]:
                broken = copy.deepcopy(rule)
                broken["expr"] = expression
                broken.pop("for", None)
                names.append((rule["alert"], what))
                cases.append(([{**broken, **({"for": wait} if wait else {})}], own))
        self.assertGreater(len(cases), 4 * len(metrics.rules()))
        agreed = [name for name, agrees in zip(names, self.agreements(cases)) if agrees]
        self.assertEqual(agreed, [name for name in names if name[1] == "as it is"])


class Dashboard(unittest.TestCase):
    def test_O_5_the_dashboard_is_one_page_of_rows_with_panels(self):
        panels = metrics.dashboard()["panels"]
        rows = [panel["title"].split(" (")[0] for panel in panels if panel["type"] == "row"]
        self.assertEqual(rows, ["Overview", "Traffic", "Queues", "Flow", "Storage", "Security", "Process"])
        places = [tuple(panel["gridPos"].values()) for panel in panels]
        self.assertEqual(len(set(places)), len(places))
        self.assertTrue(all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels))
        self.assertTrue(all(target["expr"] for panel in panels for target in panel.get("targets", [])))


if __name__ == "__main__":
    unittest.main()
