"""The forms about backups."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField

from cpms.web.forms import ClockTime, Form, Line, Secret, at_most, required


class OwnPasswordForm(Form):
    """Whoever takes the clinic's data away says again who they are."""

    own_password = Secret(_l("Your password"), [required(_l("Please give your own password."))])


class PlanForm(Form):
    """When and where to."""

    backup_at = ClockTime(_l("Every night at"), [required(_l("Please give a time."))])
    backup_target = Line(_l("Second place"), [at_most(300)], render_kw={"autocomplete": "off", "spellcheck": "false"})


class UploadForm(Form):
    """A backup that was downloaded, perhaps from another machine."""

    with_files = True
    file = FileField(_l("Backup file"), [FileRequired(_l("Please choose a file."))], render_kw={"accept": ".tar"})


class UnlockForm(Form):
    """What opens an encrypted backup that this machine has no key for."""

    words = Secret(_l("Passphrase or recovery key"), [required(_l("Please give the passphrase or the recovery key."))])


class BeginRestoreForm(OwnPasswordForm):
    """The last question before the clinic's data is replaced."""

    backup = HiddenField()  # which one the page showed
    clinic_name = Line(_l("Name of the clinic"), [required(_l("Please type the name.")), at_most(200)])


class PassphraseForm(OwnPasswordForm):
    """What opens the backups when this server is gone."""

    passphrase = Secret(_l("Passphrase"), [required(_l("Please give a passphrase.")), at_most(200)])
    again = Secret(_l("The same once more"), [required(_l("Please type it a second time."))])

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        if valid and self.passphrase.data != self.again.data:
            self.refuse("again", _("This is not what stands above."))
            return False
        return valid
