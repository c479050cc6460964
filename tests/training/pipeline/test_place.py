import json
import subprocess
import sys
from pathlib import Path

import pytest

from training.errors import DatasetError, PipelineError
from training.experiment import Experiment, GateRecipe
from training.pipeline.place import Account, opened_place, read_account
from training.recipe import Recipe

DATA = "a" * 64
ONE = Experiment()
OTHER = Experiment(train=Recipe(seed=2), gate=GateRecipe(significance=0.01))


def open_and_close(runs: Path, experiment: Experiment = ONE, *, finish: bool = False) -> Path:
    with opened_place(runs, experiment) as place:
        place.require_data(DATA)
        if finish:
            place.finish({"promoted": True})
        return place.folder


def test_first_pipeline_begins_as_001(tmp_path: Path) -> None:
    with opened_place(tmp_path / "runs" / "smoke", ONE) as place:
        assert place.folder == tmp_path / "runs" / "smoke" / "001"
        assert not place.resumed
        place.require_data(DATA)
        account = json.loads((place.folder / "pipeline.json").read_text(encoding="utf-8"))
    assert account == {"key": place.key, "experiment": ONE.model_dump(mode="json")}


def test_unfinished_pipeline_is_gone_on_with(tmp_path: Path) -> None:
    with opened_place(tmp_path, ONE) as first:
        first.require_data(DATA)
    with opened_place(tmp_path, ONE) as second:
        assert second.resumed
        assert (second.folder, second.key) == (first.folder, first.key)


def test_after_a_finished_pipeline_the_next_number_begins(tmp_path: Path) -> None:
    assert open_and_close(tmp_path, finish=True).name == "001"
    assert open_and_close(tmp_path, OTHER).name == "002"


def test_unfinished_pipeline_of_another_experiment_is_refused(tmp_path: Path) -> None:
    open_and_close(tmp_path)
    with pytest.raises(
        PipelineError, match=r"001: not finished, .* differs in gate\.significance, train\.seed\. "
    ):
        open_and_close(tmp_path, OTHER)


def test_unfinished_pipeline_from_before_a_key_is_gone_on_with(tmp_path: Path) -> None:
    file = open_and_close(tmp_path) / "pipeline.json"
    account = json.loads(file.read_text(encoding="utf-8"))
    del account["experiment"]["train"]["teachers"]
    file.write_text(json.dumps(account), encoding="utf-8")
    assert open_and_close(tmp_path).name == "001"


def test_pipeline_whose_data_were_not_found_has_not_begun(tmp_path: Path) -> None:
    with pytest.raises(DatasetError), opened_place(tmp_path, ONE):
        raise DatasetError("no FER2013 here")
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert open_and_close(tmp_path, OTHER).name == "001"


def test_pipeline_that_was_killed_before_it_knew_its_data_keeps_its_key(tmp_path: Path) -> None:
    with opened_place(tmp_path, ONE) as first:
        first.require_data(DATA)
    (first.folder / "data.sha256").unlink()
    with opened_place(tmp_path, ONE) as second:
        second.require_data(DATA)
    assert read_account(first.folder) == Account(
        key=first.key, experiment=ONE.model_dump(mode="json")
    )


@pytest.mark.parametrize("content", ["", '{"key": "a', "{}", "[]", '{"key": 1, "experiment": {}}'])
def test_damaged_account_is_refused(tmp_path: Path, content: str) -> None:
    (open_and_close(tmp_path) / "pipeline.json").write_text(content, encoding="utf-8")
    with pytest.raises(PipelineError, match=r"001/pipeline\.json: damaged\. Bring .* begin anew$"):
        open_and_close(tmp_path)


def test_folder_that_a_killed_process_only_made_is_used(tmp_path: Path) -> None:
    (tmp_path / "001").mkdir()
    with opened_place(tmp_path, ONE) as place:
        assert place.folder.name == "001"
        assert not place.resumed


def test_other_folders_and_files_are_no_pipelines(tmp_path: Path) -> None:
    (tmp_path / "candidate").mkdir()
    (tmp_path / "checkpoint.pt").touch()
    assert open_and_close(tmp_path).name == "001"


def test_numbers_go_on_beyond_999(tmp_path: Path) -> None:
    (tmp_path / "999").mkdir()
    (tmp_path / "999" / "finished.json").touch()
    assert open_and_close(tmp_path, finish=True).name == "1000"
    assert open_and_close(tmp_path).name == "1001"


def test_two_processes_are_not_at_work_in_one_place(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from training.experiment import Experiment\n"
        "from training.pipeline.place import opened_place\n"
        "with opened_place(pathlib.Path(sys.argv[1]), Experiment()) as place:\n"
        "    place.require_data('a')\n"
        "    print('open', flush=True)\n"
        "    time.sleep(600)\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603  # ours
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(PipelineError, match="another pipeline is at work here"):
            open_and_close(tmp_path)
        other.kill()
    with opened_place(tmp_path, ONE) as place:
        assert place.resumed


def test_files_are_read_back_and_leave_no_draft(tmp_path: Path) -> None:
    with opened_place(tmp_path, ONE) as place:
        place.require_data(DATA)
        assert place.read("decision.json") is None
        place.write("decision.json", "{}")
        assert place.read("decision.json") == "{}"
        assert {path.name for path in place.folder.iterdir()} == {
            "data.sha256", "decision.json", "pipeline.json",
        }  # fmt: skip


def test_other_data_than_at_the_beginning_are_refused(tmp_path: Path) -> None:
    with opened_place(tmp_path, ONE) as place:
        place.require_data(DATA)
        place.require_data(DATA)
        with pytest.raises(PipelineError, match="001: began with other data"):
            place.require_data("b" * 64)
