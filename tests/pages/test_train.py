"""Train: the form is the config of the system, and starts or resumes a run."""

from rec_core.workbench import systems
from tests.pages.seen import button, texts


def test_train_starts_what_the_form_says(open_page, dataset, started, workspace):
    app = open_page("train")
    app.number_input(key="rallrec.tiny.reranker.top_k").set_value(7).run()
    assert "--set reranker.top_k=7" in app.code[0].value
    button(app, "Start training").click().run()
    verb, name, _ = started[-1]
    assert verb == "enqueue"
    assert "top_k: 7" in (workspace / "runs" / name / "config.yaml").read_text()


def test_train_shows_what_a_config_refuses(open_page, dataset):
    app = open_page("train")
    app.number_input(key="rallrec.tiny.tuning.training.learning_rate").set_value(0.0).run()
    assert "learning_rate" in app.error[0].value
    assert "Start training" not in [b.label for b in app.button]


def test_train_offers_to_resume_a_failed_run(open_page, run, started, make_run):
    make_run("broken", 0.5, state="failed")
    app = open_page("train")
    assert "It broke." in [error.value for error in app.error]
    button(app, "Resume").click().run()
    assert started[-1][:2] == ("enqueue", "broken")


def test_train_reads_lists_of_numbers_as_numbers(open_page, dataset, workspace, started):
    app = open_page("train")
    app.selectbox(key="train-system").set_value("ease").run()
    assert not app.exception and not app.error
    assert not any("Changed" in caption.value for caption in app.caption)
    app.text_input(key="ease.tiny.task.cutoffs").set_value("5, 15").run()
    assert "--set 'task.cutoffs=[5, 15]'" in app.code[0].value
    button(app, "Start training").click().run()
    config = (workspace / "runs" / started[-1][1] / "config.yaml").read_text()
    assert "- 15" in config
    app.text_input(key="ease.tiny.task.cutoffs").set_value("5, many").run()
    assert "cutoffs" in app.error[0].value


def test_train_begins_with_what_was_published_for_the_chosen_method(open_page, dataset):
    app = open_page("train")
    app.selectbox(key="train-system").set_value("graph_cf").run()
    app.segmented_control(key="train-preset").set_value("paper").run()
    assert app.number_input(key="graph_cf.paper.mine.lightgcn.batch_size").value == 1024
    app.selectbox(key="graph_cf.paper.mine.encoder").set_value("sgl").run()
    assert app.number_input(key="graph_cf.paper.mine.sgl.batch_size").value == 2048
    assert app.code[0].value.endswith("--seed 0 --set encoder=sgl")


def test_train_draws_the_form_of_every_system(open_page, dataset):
    app = open_page("train")
    for card in systems():
        app.selectbox(key="train-system").set_value(card.name).run()
        assert not app.exception and not app.error, card.name
        assert card.paper in texts(app)
        assert not any("Changed" in caption.value for caption in app.caption), card.name
