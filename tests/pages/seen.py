"""What a person sees of an open page, and does on it."""


def texts(app) -> str:
    parts = [app.markdown, app.caption, app.info, app.error, app.text, app.warning, app.success]
    return "\n".join(str(element.value) for part in parts for element in part)


def button(app, label):
    return next(b for b in app.button if b.label == label)


def of_run(app, page, run):
    app.sidebar.selectbox(key="run").set_value(run).run()
    return app.switch_page(f"pages/{page}.py").run()
